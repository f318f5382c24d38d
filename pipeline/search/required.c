/* Reads a pattern, as PCRE2 does, for the literals that no match can do without. */

#include "pipeline/search/required.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 32, MOST_LITERALS = 256, LEAST_SIZE = 2, LONG_ENOUGH = 8 };

struct span {
	size_t start, size; /* in the reader's bytes */
};

/* The spans are a stack: a branch leaves its best ones there, and alternatives leave those of all their branches. */
struct reader {
	const char *at, *end;
	char *bytes;
	size_t used;
	struct span *spans;
	size_t count;
	unsigned depth;
	bool fold;
};

enum token {
	TOKEN_UNKNOWN, /* it is not understood: give up */
	TOKEN_BYTE,    /* one byte that stands for itself */
	TOKEN_ATOM,    /* something that matches bytes */
	TOKEN_NOTHING, /* something that matches no bytes: an anchor, an option */
	TOKEN_GROUP,   /* a group begins */
	TOKEN_LOOK     /* look-around begins */
};

static bool next_is(const struct reader *reader, const char *text)
{
	size_t size = strlen(text);
	return (size_t)(reader->end - reader->at) >= size && memcmp(reader->at, text, size) == 0;
}

static bool skip(struct reader *reader, const char *text)
{
	if (!next_is(reader, text))
		return false;
	reader->at += strlen(text);
	return true;
}

/* The next byte; -1 at the end. */
static int peek(const struct reader *reader)
{
	return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

static bool one_of(int byte, const char *set)
{
	return byte > 0 && strchr(set, byte) != NULL;
}

static bool is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static int hex_value(int digit)
{
	if (is_digit(digit))
		return digit - '0';
	int lower = digit | 0x20;
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Two hexadecimal digits, bare or in braces, behind `\x`. */
static enum token read_hex(struct reader *reader, char *byte)
{
	bool braces = skip(reader, "{");
	if (reader->end - reader->at < 2 + braces)
		return TOKEN_UNKNOWN;
	int high = hex_value(reader->at[0]), low = hex_value(reader->at[1]);
	if (high < 0 || low < 0 || (braces && reader->at[2] != '}'))
		return TOKEN_UNKNOWN;
	reader->at += 2 + braces;
	*byte = (char)(high << 4 | low);
	return TOKEN_BYTE;
}

static enum token read_escape(struct reader *reader, char *byte)
{
	static const char named[] = "tnrfea", stands_for[] = "\t\n\r\f\033\a";
	int next = peek(reader);
	if (next <= ' ' || next >= 0x7f)
		return TOKEN_UNKNOWN;
	reader->at++;
	if (next == 'x')
		return read_hex(reader, byte);
	if (one_of(next, "bBAzZGK"))
		return TOKEN_NOTHING;
	if (one_of(next, "dDwWsShHvVRXC"))
		return TOKEN_ATOM;
	if (next == 'N' || (next >= '1' && next <= '9'))
		return peek(reader) == '{' || is_digit(peek(reader)) ? TOKEN_UNKNOWN : TOKEN_ATOM;
	const char *name = strchr(named, next);
	if (!name && (is_digit(next) || is_letter(next)))
		return TOKEN_UNKNOWN;
	*byte = name ? stands_for[name - named] : (char)next;
	return TOKEN_BYTE;
}

/* `[:alpha:]` and the like inside a class. */
static bool skip_posix(struct reader *reader)
{
	if (!skip(reader, "[:"))
		return false;
	skip(reader, "^");
	while (is_letter(peek(reader)))
		reader->at++;
	return skip(reader, ":]");
}

/* One element of a class. */
static bool skip_element(struct reader *reader)
{
	if (next_is(reader, "[:") || next_is(reader, "[.") || next_is(reader, "[="))
		return skip_posix(reader);
	if (skip(reader, "\\") && one_of(peek(reader), "QEc"))
		return false;
	if (peek(reader) < 0)
		return false;
	reader->at++;
	return true;
}

/* A class, behind its opening bracket: a bracket that closes is its first element, if it is the first. */
static enum token skip_class(struct reader *reader)
{
	skip(reader, "^");
	for (bool first = true; first || peek(reader) != ']'; first = false)
		if (!skip_element(reader))
			return TOKEN_UNKNOWN;
	reader->at++;
	return TOKEN_ATOM;
}

static bool skip_name(struct reader *reader, const char *closing)
{
	while (is_letter(peek(reader)) || is_digit(peek(reader)) || peek(reader) == '_')
		reader->at++;
	return skip(reader, closing);
}

/* `(?i)`, `(?i:`. Without regard to case anywhere is without regard to case everywhere: more is found, never less. Free
 * spacing is not understood. */
static enum token read_options(struct reader *reader)
{
	bool on = true;
	for (; one_of(peek(reader), "imsnJU-^"); reader->at++) {
		on = on && peek(reader) != '-';
		reader->fold |= on && peek(reader) == 'i';
	}
	if (skip(reader, ":"))
		return TOKEN_GROUP;
	return skip(reader, ")") ? TOKEN_NOTHING : TOKEN_UNKNOWN;
}

/* Behind an opening parenthesis. */
static enum token read_opening(struct reader *reader)
{
	if (next_is(reader, "*"))
		return TOKEN_UNKNOWN;
	if (!skip(reader, "?") || skip(reader, ">") || skip(reader, "|"))
		return TOKEN_GROUP;
	if (skip(reader, "=") || skip(reader, "!") || skip(reader, "<=") || skip(reader, "<!"))
		return TOKEN_LOOK;
	if (skip(reader, "<") || skip(reader, "P<"))
		return skip_name(reader, ">") ? TOKEN_GROUP : TOKEN_UNKNOWN;
	if (skip(reader, "'"))
		return skip_name(reader, "'") ? TOKEN_GROUP : TOKEN_UNKNOWN;
	return read_options(reader);
}

/* The size of `{n}`, `{n,}` or `{n,m}`; 0 if it is none. */
static size_t repeat_size(const struct reader *reader)
{
	const char *at = reader->at + 1;
	if (at >= reader->end || !is_digit(*at))
		return 0;
	while (at < reader->end && is_digit(*at))
		at++;
	if (at < reader->end && *at == ',')
		at++;
	while (at < reader->end && is_digit(*at))
		at++;
	return at < reader->end && *at == '}' ? (size_t)(at - reader->at) + 1 : 0;
}

/* A brace that begins no repetition is itself. Versions of PCRE2 differ in `{,n}` and in what blanks mean there. */
static enum token read_brace(struct reader *reader, char *byte)
{
	*byte = '{';
	return one_of(peek(reader), ", ") || is_digit(peek(reader)) ? TOKEN_UNKNOWN : TOKEN_BYTE;
}

static enum token read_token(struct reader *reader, char *byte)
{
	*byte = *reader->at++;
	switch (*byte) {
	case '\\':
		return read_escape(reader, byte);
	case '[':
		return skip_class(reader);
	case '(':
		return read_opening(reader);
	case '{':
		return read_brace(reader, byte);
	case '^':
	case '$':
		return TOKEN_NOTHING;
	case '.':
		return TOKEN_ATOM;
	case '*':
	case '+':
	case '?':
		return TOKEN_UNKNOWN;
	default:
		return TOKEN_BYTE;
	}
}

/* How often what was read must be there at least. `once`: exactly once, no quantifier follows. */
static bool read_least(struct reader *reader, bool *once)
{
	size_t size = peek(reader) == '{' ? repeat_size(reader) : one_of(peek(reader), "*+?");
	bool some = true;
	*once = size == 0;
	if (*once)
		return true;
	if (peek(reader) == '{')
		some = strtoul(reader->at + 1, NULL, 10) > 0;
	else
		some = peek(reader) == '+';
	reader->at += size;
	if (!skip(reader, "?"))
		skip(reader, "+");
	return some;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Longer is rarer, and one is found faster than many. */
static size_t worth(const struct span *spans, size_t count)
{
	size_t shortest = LONG_ENOUGH;
	for (size_t i = 0; i < count; i++)
		shortest = smaller(shortest, spans[i].size);
	return 4 * shortest + (count == 1 ? 3 : 0);
}

/* Of two groups of spans on the stack, from `first` and from `second`, the better one stays. */
static void keep_better(struct reader *reader, size_t first, size_t second)
{
	size_t count = reader->count - second;
	if (count == 0 || second == first)
		return;
	if (worth(&reader->spans[second], count) <= worth(&reader->spans[first], second - first)) {
		reader->count = second;
		return;
	}
	for (size_t i = 0; i < count; i++)
		reader->spans[first + i] = reader->spans[second + i];
	reader->count = first + count;
}

/* The bytes from `run` on follow each other in every match, and what comes next is something else. */
static void end_run(struct reader *reader, size_t first, size_t *run)
{
	size_t second = reader->count;
	if (reader->used - *run >= LEAST_SIZE)
		reader->spans[reader->count++] = (struct span){ *run, reader->used - *run };
	keep_better(reader, first, second);
	*run = reader->used;
}

static void take_byte(struct reader *reader, char byte, size_t first, size_t *run)
{
	bool once, some = read_least(reader, &once);
	if (some)
		reader->bytes[reader->used++] = byte;
	if (once)
		return;
	end_run(reader, first, run);
	if (some)
		reader->bytes[reader->used++] = byte;
}

static bool read_alternatives(struct reader *reader);

/* A group's inside, with its closing parenthesis. */
static bool read_inside(struct reader *reader)
{
	if (reader->depth == MOST_DEPTH)
		return false;
	reader->depth++;
	bool understood = read_alternatives(reader) && skip(reader, ")");
	reader->depth--;
	return understood;
}

static bool take_group(struct reader *reader, size_t first, size_t *run)
{
	end_run(reader, first, run);
	size_t second = reader->count;
	if (!read_inside(reader))
		return false;
	bool once;
	if (!read_least(reader, &once))
		reader->count = second;
	keep_better(reader, first, second);
	*run = reader->used;
	return true;
}

/* What it looks at is not part of the match: the run goes on as if it were not there. */
static bool pass_look_around(struct reader *reader)
{
	size_t used = reader->used, count = reader->count;
	if (!read_inside(reader))
		return false;
	reader->used = used;
	reader->count = count;
	return true;
}

static bool take_token(struct reader *reader, size_t first, size_t *run)
{
	char byte;
	bool once;
	switch (read_token(reader, &byte)) {
	case TOKEN_BYTE:
		take_byte(reader, byte, first, run);
		return true;
	case TOKEN_ATOM:
		end_run(reader, first, run);
		read_least(reader, &once);
		return true;
	case TOKEN_NOTHING:
		read_least(reader, &once);
		return true;
	case TOKEN_GROUP:
		return take_group(reader, first, run);
	case TOKEN_LOOK:
		if (!pass_look_around(reader))
			return false;
		read_least(reader, &once);
		return true;
	case TOKEN_UNKNOWN:
		return false;
	}
	return false;
}

static bool read_branch(struct reader *reader)
{
	size_t first = reader->count, run = reader->used;
	while (peek(reader) >= 0 && peek(reader) != '|' && peek(reader) != ')')
		if (!take_token(reader, first, &run))
			return false;
	end_run(reader, first, &run);
	return true;
}

/* Each branch must require something, or together they require nothing. */
static bool read_alternatives(struct reader *reader)
{
	size_t first = reader->count;
	bool all = true;
	do {
		size_t before = reader->count;
		if (!read_branch(reader))
			return false;
		all = all && reader->count > before;
	} while (skip(reader, "|"));
	if (!all)
		reader->count = first;
	return true;
}

static struct required gather(struct reader *reader)
{
	struct required required = { .bytes = reader->bytes, .count = reader->count };
	required.literals = calloc(reader->count, sizeof(*required.literals));
	if (!required.literals)
		return (struct required){ 0 };
	for (size_t i = 0; i < reader->count; i++)
		required.literals[i] =
			(struct literal){ .data = reader->bytes + reader->spans[i].start,
				.size = reader->spans[i].size,
				.fold = reader->fold };
	return required;
}

struct required required_by(const char *pattern, size_t size, bool fold)
{
	struct required required = { 0 };
	struct reader reader = { .at = pattern, .end = pattern + size, .fold = fold };
	reader.bytes = calloc(size + 1, 2);
	reader.spans = calloc(size + 1, sizeof(*reader.spans));
	bool understood = reader.bytes && reader.spans && read_alternatives(&reader) &&
			  reader.at == reader.end;
	if (understood && reader.count > 0 && reader.count <= MOST_LITERALS)
		required = gather(&reader);
	if (!required.literals)
		free(reader.bytes);
	free(reader.spans);
	return required;
}

void required_close(struct required *required)
{
	free(required->literals);
	free(required->bytes);
	*required = (struct required){ 0 };
}

size_t required_cost(const struct required *required)
{
	size_t cost = required->count * sizeof(*required->literals);
	for (size_t i = 0; i < required->count; i++)
		cost += required->literals[i].size;
	return cost;
}
