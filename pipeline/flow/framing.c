/* Delimited framings: first, last, how many, and where a record starts. */

#include "pipeline/flow/framing.h"

#include <assert.h>
#include <string.h>

/* A border shorter than the whole that is prefix and suffix at once lets occurrences overlap. */
static bool overlaps_itself(const char *delimiter, uint32_t size)
{
	for (uint32_t border = 1; border < size; border++)
		if (memcmp(delimiter, delimiter + size - border, border) == 0)
			return true;
	return false;
}

struct framing framing_delimited(const char *delimiter, uint32_t size, bool crlf)
{
	assert(size > 0);
	bool newline = size == 1 && delimiter[0] == '\n';
	return (struct framing){ .delimiter = delimiter,
		.delimiter_size = size,
		.self_overlapping = overlaps_itself(delimiter, size),
		.newline = newline,
		.crlf = crlf && newline };
}

size_t framing_first(const struct framing *framing, const char *data, size_t size)
{
	if (size < framing->delimiter_size)
		return 0;
	const char *hit = framing->delimiter_size == 1
				  ? memchr(data, framing->delimiter[0], size)
				  : memmem(data, size, framing->delimiter, framing->delimiter_size);
	return hit ? (size_t)(hit - data) + framing->delimiter_size : 0;
}

/* Behind the last occurrence that lies in the first `size` bytes; 0 if there is none. Exact where the delimiter does not
 * overlap itself: then every occurrence is a border. */
static size_t search_back(const struct framing *framing, const char *data, size_t size)
{
	uint32_t last = framing->delimiter_size - 1;
	while (size > last) {
		const char *hit = memrchr(data + last, framing->delimiter[last], size - last);
		if (!hit)
			return 0;
		if (last == 0 || memcmp(hit - last, framing->delimiter, last) == 0)
			return (size_t)(hit - data) + 1;
		size = (size_t)(hit - data);
	}
	return 0;
}

static size_t walk(const struct framing *framing, const char *data, size_t size)
{
	size_t end = 0;
	for (size_t step; (step = framing_first(framing, data + end, size - end)) > 0;)
		end += step;
	return end;
}

size_t framing_last(const struct framing *framing, const char *data, size_t size)
{
	return framing->self_overlapping ? walk(framing, data, size)
					 : search_back(framing, data, size);
}

typedef unsigned char lanes __attribute__((vector_size(16), aligned(1), may_alias));

static uint32_t sum_lanes(lanes counts)
{
	uint32_t sum = 0;
	for (int i = 0; i < 16; i++)
		sum += counts[i];
	return sum;
}

/* Sixteen at a time: a lane counts to 255 before it is emptied. */
static uint32_t count_byte(const char *data, size_t size, char byte)
{
	uint32_t count = 0;
	size_t at = 0;
	while (size - at >= 16) {
		size_t blocks = (size - at) / 16 < 255 ? (size - at) / 16 : 255;
		lanes counts = { 0 };
		for (size_t i = 0; i < blocks; i++, at += 16)
			counts -= (lanes)(*(const lanes *)(const void *)(data + at) ==
					  (unsigned char)byte);
		count += sum_lanes(counts);
	}
	for (; at < size; at++)
		count += data[at] == byte;
	return count;
}

uint32_t framing_count(const struct framing *framing, const char *data, size_t size)
{
	if (framing->delimiter_size == 1)
		return count_byte(data, size, framing->delimiter[0]);
	uint32_t count = 0;
	for (size_t at = 0, step; (step = framing_first(framing, data + at, size - at)) > 0;
		at += step)
		count++;
	return count;
}

size_t framing_start(const struct framing *framing, const char *data, size_t at)
{
	return framing_last(framing, data, at);
}

size_t framing_content(const struct framing *framing, const char *record, size_t size, bool bare)
{
	if (bare)
		return size;
	size -= framing->delimiter_size;
	return framing->crlf && size > 0 && record[size - 1] == '\r' ? size - 1 : size;
}
