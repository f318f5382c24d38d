/* Framings: first, last, how many, and where a record starts. Delimiters are searched, all else is walked. */

#include "pipeline/flow/framing.h"

#include "pipeline/flow/count.h"
#include "pipeline/flow/scan.h"
#include "pipeline/flow/walk.h"

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

struct framing framing_of_kind(enum framing_kind kind, bool crlf)
{
	bool lines = kind == FRAMING_OCTETS || kind == FRAMING_CSV || kind == FRAMING_START;
	return (struct framing){ .kind = kind,
		.delimiter = lines ? "\n" : "",
		.delimiter_size = lines,
		.crlf = crlf && lines };
}

static bool same_delimiter(const struct framing *a, const struct framing *b)
{
	return a->delimiter_size == b->delimiter_size &&
	       memcmp(a->delimiter, b->delimiter, a->delimiter_size) == 0;
}

bool framing_same(const struct framing *a, const struct framing *b)
{
	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->crlf == b->crlf && a->size == b->size &&
	       a->little == b->little && a->includes_header == b->includes_header &&
	       same_delimiter(a, b);
}

bool framing_ends_in_delimiter(const struct framing *framing)
{
	return framing->kind == FRAMING_DELIMITED || framing->kind == FRAMING_CSV ||
	       framing->kind == FRAMING_START;
}

uint32_t framing_overhead(const struct framing *framing)
{
	enum { DIGITS = 10 /* of FRAMING_MOST */ };
	switch (framing->kind) {
	case FRAMING_LENGTH:
		return framing->size;
	case FRAMING_VARINT:
		return DIGITS;
	case FRAMING_OCTETS:
		return DIGITS + 1;
	case FRAMING_NETSTRING:
		return DIGITS + 2;
	default:
		return framing->delimiter_size;
	}
}

/* A record that stands apart is all there is. */
static bool stands_apart(const struct framing *framing)
{
	return framing->kind == FRAMING_START || framing->kind == FRAMING_NONE;
}

static size_t scan_first(const struct framing *framing, const char *data, size_t size)
{
	struct scan scan = { 0 };
	size_t used;
	if (stands_apart(framing))
		return size;
	return scan_record(framing, &scan, SCAN_NO_LIMIT, data, size, &used) == SCAN_ENDS ? used
											  : 0;
}

static size_t search_first(const struct framing *framing, const char *data, size_t size)
{
	if (size < framing->delimiter_size)
		return 0;
	const char *hit = framing->delimiter_size == 1
				  ? memchr(data, framing->delimiter[0], size)
				  : memmem(data, size, framing->delimiter, framing->delimiter_size);
	return hit ? (size_t)(hit - data) + framing->delimiter_size : 0;
}

size_t framing_first(const struct framing *framing, const char *data, size_t size)
{
	return framing->kind == FRAMING_DELIMITED ? search_first(framing, data, size)
						  : scan_first(framing, data, size);
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

size_t framing_last(const struct framing *framing, const char *data, size_t size)
{
	if (stands_apart(framing))
		return 0;
	if (framing->kind == FRAMING_DELIMITED && !framing->self_overlapping)
		return search_back(framing, data, size);
	return walk_records(framing, data, size, SCAN_NO_LIMIT).end;
}

uint32_t framing_count(const struct framing *framing, const char *data, size_t size)
{
	if (framing->kind == FRAMING_DELIMITED && framing->delimiter_size == 1)
		return (uint32_t)count_byte(data, size, framing->delimiter[0]);
	return walk_records(framing, data, size, SCAN_NO_LIMIT).records;
}

size_t framing_start(const struct framing *framing, const char *data, size_t at)
{
	return framing_last(framing, data, at);
}

static struct content without_delimiter(
	const struct framing *framing, const char *record, size_t size, bool bare)
{
	if (!bare)
		size -= framing->delimiter_size;
	if (!bare && framing->crlf && size > 0 && record[size - 1] == '\r')
		size--;
	return (struct content){ .size = size };
}

static size_t varint_size(const char *record)
{
	size_t size = 1;
	while (record[size - 1] & 0x80)
		size++;
	return size;
}

/* Behind the digits and what follows them. */
static size_t count_size(const char *record)
{
	size_t size = 0;
	while (record[size] >= '0' && record[size] <= '9')
		size++;
	return size + 1;
}

static struct content behind(size_t prefix, size_t size)
{
	return (struct content){ .offset = prefix, .size = size - prefix };
}

struct content framing_content(
	const struct framing *framing, const char *record, size_t size, bool bare)
{
	switch (framing->kind) {
	case FRAMING_LENGTH:
		return behind(framing->size, size);
	case FRAMING_VARINT:
		return behind(varint_size(record), size);
	case FRAMING_NETSTRING:
		return behind(count_size(record), size - 1);
	case FRAMING_OCTETS:
		if (size > 0 && record[0] >= '1' && record[0] <= '9')
			return behind(count_size(record), size);
		break;
	case FRAMING_FIXED:
	case FRAMING_NONE:
		return behind(0, size);
	case FRAMING_DELIMITED:
	case FRAMING_CSV:
	case FRAMING_START:
		break;
	}
	return without_delimiter(framing, record, size, bare);
}
