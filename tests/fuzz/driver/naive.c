/* Records, one after the other. */

#include "tests/fuzz/driver/naive.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_BYTES = 4, ROOM = 64 << 10 };

static char out[ROOM];

static void begin(struct naive *naive)
{
	naive->out = out;
	naive->size = 0;
	memset(naive->dropped, 0, sizeof(naive->dropped));
}

static void put(struct naive *naive, const char *content, size_t size)
{
	assert(naive->size + SIZE_BYTES + size <= ROOM);
	for (size_t i = 0; i < SIZE_BYTES; i++)
		out[naive->size++] = (char)(size >> (8 * (SIZE_BYTES - 1 - i)));
	memcpy(out + naive->size, content, size);
	naive->size += size;
}

/* A line or the like; `ended`: its delimiter follows. */
static void put_line(struct naive *naive, const char *content, size_t size, bool ended)
{
	bool cr = naive->framing.crlf && ended && size > 0 && content[size - 1] == '\r';

	put(naive, content, size - cr);
}

/* Delimiters */

/* What is left of a record, by its rule, when what is too long was cut off; `ended`: its delimiter was there. */
static void finish(struct naive *naive, const char *content, size_t size, bool ended)
{
	if (!ended && naive->unterminated == NAIVE_OMIT)
		naive->dropped[DROP_INCOMPLETE]++;
	else
		put_line(naive, content, size, ended || naive->unterminated == NAIVE_COMPLETE);
}

static void take_delimited(struct naive *naive, const char *content, size_t size, bool ended)
{
	if (size > naive->limit && naive->too_long == NAIVE_DROP) {
		naive->dropped[DROP_TOO_LONG]++;
		return;
	}
	while (size > naive->limit && naive->too_long == NAIVE_SPLIT) {
		put(naive, content, naive->limit);
		content += naive->limit;
		size -= naive->limit;
	}
	finish(naive, content, size < naive->limit ? size : naive->limit, ended);
}

void naive_delimited(struct naive *naive, const char *data, size_t size)
{
	const struct framing *framing = &naive->framing;

	begin(naive);
	while (size > 0) {
		const char *hit = memmem(data, size, framing->delimiter, framing->delimiter_size);
		size_t content = hit ? (size_t)(hit - data) : size;
		size_t whole = content + (hit ? framing->delimiter_size : 0);
		take_delimited(naive, data, content, hit != NULL);
		data += whole;
		size -= whole;
	}
}

/* Prefixes, sizes and quotes */

enum outcome { FOUND, UNFINISHED, MALFORMED };

/* A record: its content, and all its bytes, which may be more than there are. */
struct found {
	size_t before;
	uint64_t content, whole;
	bool line, ended;
};

static enum outcome read_length(
	const struct framing *framing, const char *data, size_t size, struct found *found)
{
	uint64_t value = 0;

	if (size < framing->size)
		return UNFINISHED;
	for (uint32_t i = 0; i < framing->size; i++) {
		uint32_t at = framing->little ? framing->size - 1 - i : i;
		value = value << 8 | (uint8_t)data[at];
	}
	if (framing->includes_header && value < framing->size)
		return MALFORMED;
	found->before = framing->size;
	found->content = value - (framing->includes_header ? framing->size : 0);
	return FOUND;
}

static enum outcome read_varint(const char *data, size_t size, struct found *found)
{
	for (size_t i = 0; i < size; i++) {
		if (i == 9 && (uint8_t)data[i] > 1)
			return MALFORMED;
		found->content |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		found->before = i + 1;
		if (!(data[i] & 0x80))
			return FOUND;
	}
	return UNFINISHED;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Digits without a zero before others, and what follows them. */
static enum outcome read_count(const char *data, size_t size, char behind, struct found *found)
{
	size_t i = 0;

	for (; i < size && is_digit(data[i]); i++) {
		if (i > 0 && found->content == 0)
			return MALFORMED;
		found->content = found->content * 10 + (uint64_t)(data[i] - '0');
		if (found->content > FRAMING_MOST)
			return MALFORMED;
	}
	if (i == size)
		return i > 0 && behind == ' ' && found->content == 0 ? MALFORMED : UNFINISHED;
	found->before = i + 1;
	return i > 0 && data[i] == behind ? FOUND : MALFORMED;
}

/* Up to an LF that is not within quotes, if there may be such. */
static enum outcome read_line(bool quotes, const char *data, size_t size, struct found *found)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < size && (quoted || data[i] != '\n'); i++)
		quoted ^= quotes && data[i] == '"';
	found->line = true;
	found->ended = i < size;
	found->content = i;
	return quoted ? UNFINISHED : FOUND;
}

static enum outcome read_octets(const char *data, size_t size, struct found *found)
{
	if (is_digit(data[0])) {
		enum outcome outcome = read_count(data, size, ' ', found);
		return outcome == FOUND && found->content == 0 ? MALFORMED : outcome;
	}
	if (data[0] != '-')
		return read_line(false, data, size, found);
	if (size == 1)
		return UNFINISHED;
	return is_digit(data[1]) ? MALFORMED : read_line(false, data, size, found);
}

static enum outcome read_record(
	const struct framing *framing, const char *data, size_t size, struct found *found)
{
	switch (framing->kind) {
	case FRAMING_LENGTH:
		return read_length(framing, data, size, found);
	case FRAMING_VARINT:
		return read_varint(data, size, found);
	case FRAMING_NETSTRING:
		return read_count(data, size, ':', found);
	case FRAMING_OCTETS:
		return read_octets(data, size, found);
	case FRAMING_CSV:
		return read_line(true, data, size, found);
	default:
		found->content = framing->size;
		return FOUND;
	}
}

/* Takes the first record. True: there may be another behind it. */
static bool take_scanned(struct naive *naive, const char *data, size_t size, struct found *found)
{
	bool comma = naive->framing.kind == FRAMING_NETSTRING;
	enum outcome outcome = read_record(&naive->framing, data, size, found);
	bool too_long = (outcome == FOUND || found->line) && found->content > naive->limit;

	if (outcome == FOUND && found->content > FRAMING_MOST)
		outcome = MALFORMED;
	found->whole = found->before + found->content + (comma || (found->line && found->ended));
	if (outcome == FOUND && found->whole <= size && comma && data[found->whole - 1] != ',') {
		naive->dropped[DROP_TOO_LONG] += too_long;
		outcome = MALFORMED;
	} else if (outcome != MALFORMED && too_long) {
		naive->dropped[DROP_TOO_LONG]++;
		return outcome == FOUND && found->whole <= size;
	}
	if (outcome == MALFORMED)
		naive->dropped[DROP_FRAMING]++;
	else if (outcome == UNFINISHED || found->whole > size)
		naive->dropped[DROP_INCOMPLETE]++;
	else if (found->line)
		finish(naive, data, found->content, found->ended);
	else
		put(naive, data + found->before, found->content);
	return outcome == FOUND && found->whole <= size;
}

void naive_scanned(struct naive *naive, const char *data, size_t size)
{
	bool more = true;

	begin(naive);
	while (more && size > 0) {
		struct found found = { 0 };
		more = take_scanned(naive, data, size, &found);
		if (more) {
			data += found.whole;
			size -= found.whole;
		}
	}
}

static void fail(const struct bench *bench, const char *what, uint64_t is, uint64_t expected)
{
	fprintf(stderr, "%s: %s: %" PRIu64 ", not %" PRIu64 "\n", bench->stages, what, is,
		expected);
	abort();
}

void naive_compare(const struct naive *naive, const struct bench *bench)
{
	const struct account *account = &bench_report(bench, "bench.split")->account;

	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		if (account->dropped[reason] != naive->dropped[reason])
			fail(bench, drop_reason_name(reason), account->dropped[reason],
				naive->dropped[reason]);
	if (bench->out_size[0] != naive->size)
		fail(bench, "bytes", bench->out_size[0], naive->size);
	for (size_t at = 0; at < naive->size; at++)
		if (bench->out[0][at] != naive->out[at])
			fail(bench, "differs at", at, naive->size);
}
