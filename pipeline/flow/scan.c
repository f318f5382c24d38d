/* The automata of prefixes, counts and quotes. */

#include "pipeline/flow/scan.h"

#include <assert.h>
#include <string.h>

enum { VARINT_MOST = 10 };

static bool is_digit(unsigned char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The prefix is known: `left` bytes follow, `content` of them are content. */
static enum scan_result begin_body(
	struct scan *scan, uint64_t content, uint64_t trailer, uint64_t limit)
{
	if (content > FRAMING_MOST)
		return SCAN_MALFORMED;
	scan->phase = SCAN_IN_BODY;
	scan->count = content + trailer;
	if (content > limit)
		return SCAN_TOO_LONG;
	return scan->count == 0 ? SCAN_ENDS : SCAN_GOES_ON;
}

static enum scan_result length_byte(
	const struct framing *framing, struct scan *scan, unsigned char byte, uint64_t limit)
{
	uint32_t shift = framing->little ? 8 * scan->prefix : 0;
	scan->count =
		framing->little ? scan->count | (uint64_t)byte << shift : scan->count << 8 | byte;
	if (++scan->prefix < framing->size)
		return SCAN_GOES_ON;
	uint64_t header = framing->includes_header ? framing->size : 0;
	if (scan->count < header)
		return SCAN_MALFORMED;
	return begin_body(scan, scan->count - header, 0, limit);
}

/* Bits beyond the 64th make it malformed, as does an eleventh byte. */
static enum scan_result varint_byte(struct scan *scan, unsigned char byte, uint64_t limit)
{
	if (scan->prefix == VARINT_MOST - 1 && byte > 1)
		return SCAN_MALFORMED;
	scan->count |= (uint64_t)(byte & 0x7f) << (7 * scan->prefix++);
	return byte & 0x80 ? SCAN_GOES_ON : begin_body(scan, scan->count, 0, limit);
}

/* One more digit of a count. False where it is no digit, has a leading zero, or grows too large. */
static bool count_digit(struct scan *scan, unsigned char byte)
{
	bool zero_leads = scan->prefix > 0 && scan->count == 0;
	if (!is_digit(byte) || zero_leads)
		return false;
	scan->count = scan->count * 10 + (uint64_t)(byte - '0');
	scan->prefix++;
	return scan->count <= FRAMING_MOST;
}

static enum scan_result netstring_byte(struct scan *scan, unsigned char byte, uint64_t limit)
{
	if (byte == ':' && scan->prefix > 0)
		return begin_body(scan, scan->count, 1, limit);
	return count_digit(scan, byte) ? SCAN_GOES_ON : SCAN_MALFORMED;
}

static enum scan_result octets_byte(struct scan *scan, unsigned char byte, uint64_t limit)
{
	if (byte == ' ' && scan->count > 0)
		return begin_body(scan, scan->count, 0, limit);
	bool good = count_digit(scan, byte) && scan->count > 0;
	return good ? SCAN_GOES_ON : SCAN_MALFORMED;
}

static enum scan_result prefix_byte(
	const struct framing *framing, struct scan *scan, unsigned char byte, uint64_t limit)
{
	switch (framing->kind) {
	case FRAMING_LENGTH:
		return length_byte(framing, scan, byte, limit);
	case FRAMING_VARINT:
		return varint_byte(scan, byte, limit);
	case FRAMING_NETSTRING:
		return netstring_byte(scan, byte, limit);
	case FRAMING_OCTETS:
		return octets_byte(scan, byte, limit);
	default:
		assert(false);
		return SCAN_MALFORMED;
	}
}

static enum scan_result in_prefix(const struct framing *framing, struct scan *scan, uint64_t limit,
	const char *data, size_t size, size_t *used)
{
	enum scan_result result = SCAN_GOES_ON;
	while (*used < size && scan->phase == SCAN_IN_PREFIX && result == SCAN_GOES_ON)
		result = prefix_byte(framing, scan, (unsigned char)data[(*used)++], limit);
	return result;
}

static enum scan_result in_body(const struct framing *framing, struct scan *scan, const char *data,
	size_t size, size_t *used)
{
	uint64_t have = size - *used;
	if (have < scan->count) {
		scan->count -= have;
		*used = size;
		return SCAN_GOES_ON;
	}
	*used += (size_t)scan->count;
	scan->count = 0;
	if (framing->kind == FRAMING_NETSTRING && data[*used - 1] != ',')
		return SCAN_MALFORMED;
	return SCAN_ENDS;
}

/* The next LF that is outside of quotes, from `data`; `quoted` is kept. A doubled quote leaves and enters them. */
static const char *find_line_end(
	const struct framing *framing, bool *quoted, const char *data, size_t size)
{
	const char *end = data + size, *line = NULL;
	if (framing->kind != FRAMING_CSV)
		return memchr(data, '\n', size);
	while (data < end) {
		if (!*quoted && (!line || line < data))
			line = memchr(data, '\n', (size_t)(end - data));
		if (!*quoted && !line)
			line = end;
		const char *stop = *quoted ? end : line;
		const char *quote = memchr(data, '"', (size_t)(stop - data));
		if (!quote)
			return stop < end ? stop : NULL;
		*quoted = !*quoted;
		data = quote + 1;
	}
	return NULL;
}

static enum scan_result in_line(const struct framing *framing, struct scan *scan, uint64_t limit,
	const char *data, size_t size, size_t *used)
{
	bool quoted = scan->quoted;
	size_t have = size - *used;
	const char *end = find_line_end(framing, &quoted, data + *used, have);
	uint64_t bytes = end ? (uint64_t)(end - (data + *used)) : have;
	scan->quoted = quoted;
	scan->count += bytes;
	*used += (size_t)bytes;
	if (scan->count > limit)
		return SCAN_TOO_LONG;
	*used += end != NULL;
	return end ? SCAN_ENDS : SCAN_GOES_ON;
}

/* RFC 6587: a count begins with a digit. A zero or a negative number there is a broken count, not a line. */
static enum scan_phase octets_phase(unsigned char byte)
{
	if (is_digit(byte))
		return SCAN_IN_PREFIX;
	return byte == '-' ? SCAN_IN_SIGN : SCAN_IN_LINE;
}

static enum scan_result begin(
	const struct framing *framing, struct scan *scan, uint64_t limit, unsigned char first)
{
	switch (framing->kind) {
	case FRAMING_FIXED:
		return begin_body(scan, framing->size, 0, limit);
	case FRAMING_CSV:
		scan->phase = SCAN_IN_LINE;
		break;
	case FRAMING_OCTETS:
		scan->phase = (uint8_t)octets_phase(first);
		break;
	default:
		scan->phase = SCAN_IN_PREFIX;
	}
	return SCAN_GOES_ON;
}

/* Behind a minus: a digit makes it a negative count. */
static enum scan_result in_sign(struct scan *scan, const char *data, size_t size, size_t *used)
{
	if (scan->count == 0) {
		scan->count = 1;
		(*used)++;
	}
	if (*used == size)
		return SCAN_GOES_ON;
	if (is_digit((unsigned char)data[*used]))
		return SCAN_MALFORMED;
	scan->phase = SCAN_IN_LINE;
	return SCAN_GOES_ON;
}

enum scan_result scan_record(const struct framing *framing, struct scan *scan, uint64_t limit,
	const char *data, size_t size, size_t *used)
{
	enum scan_result result = SCAN_GOES_ON;
	*used = 0;
	if (size == 0)
		return SCAN_GOES_ON;
	if (scan->phase == SCAN_AT_START)
		result = begin(framing, scan, limit, (unsigned char)data[0]);
	if (result == SCAN_GOES_ON && scan->phase == SCAN_IN_PREFIX)
		result = in_prefix(framing, scan, limit, data, size, used);
	if (result == SCAN_GOES_ON && scan->phase == SCAN_IN_SIGN)
		result = in_sign(scan, data, size, used);
	if (result != SCAN_GOES_ON || *used == size)
		return result;
	if (scan->phase == SCAN_IN_BODY)
		return in_body(framing, scan, data, size, used);
	return in_line(framing, scan, limit, data, size, used);
}
