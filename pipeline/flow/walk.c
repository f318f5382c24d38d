/* The loops: prefixes, delimiters of several bytes, quotes. */

#include "pipeline/flow/walk.h"

#include "pipeline/flow/count.h"
#include "pipeline/flow/scan.h"

#include <string.h>

/* Prefixes */

/* The size of the first record; 0 if it takes a scan to say. */
typedef size_t first_record(
	const struct framing *framing, const char *data, size_t size, uint64_t limit);

MASK_INLINE struct walk walk_by(first_record *first, const struct framing *framing,
	const char *data, size_t size, uint64_t limit)
{
	struct walk walk = { 0 };
	if (limit > FRAMING_MOST)
		limit = FRAMING_MOST;
	for (size_t step; (step = first(framing, data + walk.end, size - walk.end, limit)) > 0;) {
		walk.end += step;
		walk.records++;
	}
	return walk;
}

/* What is behind the prefix fits, and may be so long. */
MASK_INLINE size_t whole(size_t prefix, uint64_t content, uint64_t limit, size_t size)
{
	return content <= limit && content <= size - prefix ? prefix + (size_t)content : 0;
}

MASK_INLINE size_t first_of_length(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	uint32_t width = framing->size, unused = 64 - 8 * width;
	if (size < 8)
		return 0;
	uint64_t word = mask_load(data);
	uint64_t told =
		framing->little ? word << unused >> unused : __builtin_bswap64(word) >> unused;
	uint64_t header = framing->includes_header ? width : 0;
	return told < header ? 0 : whole(width, told - header, limit, size);
}

MASK_INLINE size_t first_of_varint(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	enum { MOST = 4 /* bytes of a usual prefix */ };
	uint64_t content = 0;
	(void)framing;
	for (size_t i = 0; i < MOST && i < size; i++) {
		unsigned char byte = (unsigned char)data[i];
		content |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80)
			return whole(i + 1, content, limit, size);
	}
	return 0;
}

/* Reads a count of digits without a leading zero; the bytes that it has. A broken one has none. */
MASK_INLINE size_t read_count(const char *data, size_t size, uint64_t *count)
{
	enum { MOST = 9 /* digits of a usual count */ };
	size_t digits = 0;
	*count = 0;
	for (; digits < MOST && digits < size; digits++) {
		unsigned digit = (unsigned)(unsigned char)data[digits] - '0';
		if (digit > 9)
			break;
		*count = *count * 10 + digit;
	}
	return digits > 1 && data[0] == '0' ? 0 : digits;
}

MASK_INLINE size_t first_of_netstring(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	uint64_t count;
	size_t digits = read_count(data, size, &count);
	(void)framing;
	if (digits == 0 || digits == size || data[digits] != ':' || count > limit)
		return 0;
	size_t end = whole(digits + 1, count + 1, limit + 1, size);
	return end > 0 && data[end - 1] == ',' ? end : 0;
}

MASK_INLINE size_t first_of_octets(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	uint64_t count;
	size_t digits = read_count(data, size, &count);
	(void)framing;
	if (count == 0 || digits == size || data[digits] != ' ')
		return 0;
	return whole(digits + 1, count, limit, size);
}

/* Delimiters */

static struct walk count_single(const struct framing *framing, const char *data, size_t size)
{
	const char *last = memrchr(data, framing->delimiter[0], size);
	size_t end = last ? (size_t)(last - data) + 1 : 0;
	return (struct walk){ .end = end,
		.records = (uint32_t)count_byte(data, end, framing->delimiter[0]) };
}

/* A delimiter begins at `at`, and not in the one before. Its first and last byte are there for certain. */
MASK_INLINE void take_hit(
	struct walk *walk, const struct framing *framing, const char *data, size_t at)
{
	uint32_t width = framing->delimiter_size;
	if (at < walk->end)
		return;
	for (uint32_t i = 1; i + 1 < width; i++)
		if (data[at + i] != framing->delimiter[i])
			return;
	walk->end = at + width;
	walk->records++;
}

/* Candidates are where both the first and the last byte of the delimiter are. */
MASK_INLINE struct walk walk_candidates(
	mask_equality *equal, const struct framing *framing, const char *data, size_t size)
{
	size_t at = 0, behind = framing->delimiter_size - 1;
	char first = framing->delimiter[0], last = framing->delimiter[behind];
	struct walk walk = { 0 };
	for (; size - at >= 64 + behind; at += 64)
		for (uint64_t hits = equal(data + at, first) & equal(data + at + behind, last);
			hits; hits &= hits - 1)
			take_hit(&walk, framing, data, at + (size_t)__builtin_ctzll(hits));
	for (; size - at > behind; at++)
		if (data[at] == first && data[at + behind] == last)
			take_hit(&walk, framing, data, at);
	return walk;
}

MASK_AVX2_CODE static struct walk candidates_avx2(
	const struct framing *framing, const char *data, size_t size)
{
	return walk_candidates(mask_equal_avx2, framing, data, size);
}

struct walk walk_delimiters(
	enum mask_set set, const struct framing *framing, const char *data, size_t size)
{
	if (size < framing->delimiter_size)
		return (struct walk){ 0 };
	switch (set) {
	case MASK_AVX2:
		return candidates_avx2(framing, data, size);
	case MASK_COMMON:
		return walk_candidates(mask_equal_common, framing, data, size);
	case MASK_PORTABLE:
		break;
	}
	return walk_candidates(mask_equal_portable, framing, data, size);
}

/* Quotes */

static void end_line(struct walk *walk, size_t end)
{
	walk->end = end;
	walk->records++;
}

/* The LFs that an even number of quotes come before. */
MASK_INLINE struct walk walk_lines(
	mask_equality *equal, mask_parity *parity, const char *data, size_t size)
{
	struct walk walk = { 0 };
	uint64_t quoted = 0; /* all bits, where the quotes are open behind the 64 before */
	size_t at = 0;
	for (; size - at >= 64; at += 64) {
		uint64_t within = parity(equal(data + at, '"')) ^ quoted;
		uint64_t ends = equal(data + at, '\n') & ~within;
		quoted = 0 - (within >> 63);
		if (!ends)
			continue;
		walk.records += (uint32_t)__builtin_popcountll(ends);
		walk.end = at + 64 - (size_t)__builtin_clzll(ends);
	}
	for (; at < size; at++)
		if (data[at] == '"')
			quoted = ~quoted;
		else if (data[at] == '\n' && !quoted)
			end_line(&walk, at + 1);
	return walk;
}

MASK_AVX2_CODE static struct walk lines_avx2(const char *data, size_t size)
{
	return walk_lines(mask_equal_avx2, mask_parity_avx2, data, size);
}

struct walk walk_quoted(enum mask_set set, const char *data, size_t size)
{
	switch (set) {
	case MASK_AVX2:
		return lines_avx2(data, size);
	case MASK_COMMON:
		return walk_lines(mask_equal_common, mask_parity_portable, data, size);
	case MASK_PORTABLE:
		break;
	}
	return walk_lines(mask_equal_portable, mask_parity_portable, data, size);
}

/* All kinds */

static struct walk walk_fixed(const struct framing *framing, size_t size, uint64_t limit)
{
	size_t records = framing->size <= limit ? size / framing->size : 0;
	return (struct walk){ .end = records * framing->size, .records = (uint32_t)records };
}

/* The usual records from the start on. */
static struct walk walk_usual(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	switch (framing->kind) {
	case FRAMING_DELIMITED:
		return framing->delimiter_size == 1
			       ? count_single(framing, data, size)
			       : walk_delimiters(mask_best(), framing, data, size);
	case FRAMING_LENGTH:
		return walk_by(first_of_length, framing, data, size, limit);
	case FRAMING_VARINT:
		return walk_by(first_of_varint, framing, data, size, limit);
	case FRAMING_OCTETS:
		return walk_by(first_of_octets, framing, data, size, limit);
	case FRAMING_NETSTRING:
		return walk_by(first_of_netstring, framing, data, size, limit);
	case FRAMING_FIXED:
		return walk_fixed(framing, size, limit);
	case FRAMING_CSV:
		if (size <= limit)
			return walk_quoted(mask_best(), data, size);
		break;
	case FRAMING_START:
	case FRAMING_NONE:
		break;
	}
	return (struct walk){ 0 };
}

/* The one record that is next, whatever it is; 0 if it does not simply end. */
static size_t scan_one(const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	struct scan scan = { 0 };
	size_t used;
	if (framing->kind == FRAMING_DELIMITED)
		return 0;
	return scan_record(framing, &scan, limit, data, size, &used) == SCAN_ENDS ? used : 0;
}

struct walk walk_records(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	struct walk walk = { 0 };
	for (size_t step = size > 0; step > 0;) { /* an empty view has no address */
		struct walk usual = walk_usual(framing, data + walk.end, size - walk.end, limit);
		walk.end += usual.end;
		walk.records += usual.records;
		step = scan_one(framing, data + walk.end, size - walk.end, limit);
		walk.end += step;
		walk.records += step > 0;
	}
	return walk;
}
