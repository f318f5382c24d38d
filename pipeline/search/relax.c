/* Reads a pattern token by token and writes the weaker expression. */

#include "pipeline/search/relax.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DEPTH 64
#define MOST_GROWTH 8 /* bytes written for one byte read */

struct reader {
	const char *at, *end;
	char *out;
	unsigned depth;
	unsigned mute; /* the depth of the look-around that is being left out; 0: none */
	bool fixed;    /* the last item takes no quantifier */
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

static bool is_hex(int byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static void write_text(struct reader *reader, const char *text)
{
	for (; !reader->mute && *text; text++)
		*reader->out++ = *text;
}

/* A byte that stands for itself, in a class or outside. */
static void write_byte(struct reader *reader, int byte)
{
	char text[5] = { (char)byte };
	if (!is_digit(byte) && !is_letter(byte))
		snprintf(text, sizeof(text), "\\x%02x", (unsigned)byte & 0xff);
	write_text(reader, text);
}

static int hex_value(int digit)
{
	return is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* Behind `\x`: two hexadecimal digits, bare or in braces. */
static bool read_hex(struct reader *reader)
{
	bool braces = skip(reader, "{");
	if (reader->end - reader->at < 2 + braces)
		return false;
	int high = (unsigned char)reader->at[0], low = (unsigned char)reader->at[1];
	if (!is_hex(high) || !is_hex(low) || (braces && reader->at[2] != '}'))
		return false;
	reader->at += 2 + braces;
	write_byte(reader, hex_value(high) << 4 | hex_value(low));
	return true;
}

/* The byte that an escape stands for; -1 if it is none of these. */
static int escaped_byte(int byte)
{
	switch (byte) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'f':
		return '\f';
	case 'e':
		return '\033';
	case 'a':
		return '\a';
	default:
		return byte > ' ' && byte < 0x7f && !is_digit(byte) && !is_letter(byte) ? byte : -1;
	}
}

/* An escape that means the same in a class and outside, behind its backslash. `set` is true for `\d` and the like. */
static bool read_escape(struct reader *reader, bool *set)
{
	int byte = peek(reader);
	if (byte < 0)
		return false;
	reader->at++;
	*set = one_of(byte, "dDwWsS");
	if (*set) {
		write_text(reader, (char[]){ '\\', (char)byte, 0 });
		return true;
	}
	if (byte == 'x')
		return read_hex(reader);
	int stands_for = escaped_byte(byte);
	if (stands_for < 0)
		return false;
	write_byte(reader, stands_for);
	return true;
}

static bool read_escape_outside(struct reader *reader)
{
	bool set;
	if (skip(reader, "b")) {
		write_text(reader, "\\b");
		reader->fixed = true;
		return true;
	}
	if (skip(reader, "B")) {
		write_text(reader, "\\B");
		reader->fixed = true;
		return true;
	}
	if (reader->mute && one_of(peek(reader), "AzZ")) {
		reader->at++;
		return true;
	}
	return read_escape(reader, &set);
}

/* `[:alpha:]` and the like inside a class. */
static bool read_posix(struct reader *reader)
{
	static const char *const names[] = { "[:alnum:]", "[:alpha:]", "[:digit:]", "[:lower:]",
		"[:upper:]", "[:punct:]", "[:space:]", "[:word:]", "[:xdigit:]" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (skip(reader, names[i])) {
			write_text(reader, names[i]);
			return true;
		}
	}
	return false;
}

/* One element of a class. */
static bool read_element(struct reader *reader, bool *set)
{
	*set = false;
	if (next_is(reader, "[:") || next_is(reader, "[.") || next_is(reader, "[=")) {
		*set = true;
		return read_posix(reader);
	}
	if (skip(reader, "\\"))
		return read_escape(reader, set);
	write_byte(reader, (unsigned char)*reader->at++);
	return true;
}

/* The second half of a range, if there is one: `-z`. A hyphen beside a set, or at the end, is not one. */
static bool read_range(struct reader *reader, bool first_is_set)
{
	if (!next_is(reader, "-") || next_is(reader, "-]"))
		return true;
	bool set;
	reader->at++;
	write_text(reader, "-");
	return !first_is_set && peek(reader) >= 0 && read_element(reader, &set) && !set;
}

/* A class, behind its opening bracket. */
static bool read_class(struct reader *reader)
{
	write_text(reader, "[");
	if (skip(reader, "^"))
		write_text(reader, "^");
	for (bool first = true; first || peek(reader) != ']'; first = false) {
		bool set;
		if (peek(reader) < 0 || !read_element(reader, &set) || !read_range(reader, set))
			return false;
	}
	reader->at++;
	write_text(reader, "]");
	return true;
}

static bool open_group(struct reader *reader, const char *text)
{
	if (reader->depth == MOST_DEPTH)
		return false;
	reader->depth++;
	write_text(reader, text);
	return true;
}

static bool open_look_around(struct reader *reader)
{
	if (!open_group(reader, "(?:)"))
		return false;
	if (!reader->mute)
		reader->mute = reader->depth;
	return true;
}

/* `(?i:` and the like: of the options only i and s are the same on both sides. */
static bool open_options(struct reader *reader)
{
	char text[12] = "(?";
	size_t size = 2;
	while (one_of(peek(reader), "is-") && size < sizeof(text) - 2)
		text[size++] = *reader->at++;
	text[size] = ':';
	return skip(reader, ":") && open_group(reader, text);
}

/* `<name>` of a group, whose opening is read. */
static bool skip_name(struct reader *reader, char closing)
{
	while (is_letter(peek(reader)) || is_digit(peek(reader)) || peek(reader) == '_')
		reader->at++;
	return skip(reader, (char[]){ closing, 0 });
}

/* A group, behind its opening parenthesis. */
static bool read_opening(struct reader *reader)
{
	reader->fixed = true;
	if (next_is(reader, "*"))
		return false;
	if (!skip(reader, "?") || skip(reader, ":") || skip(reader, ">"))
		return open_group(reader, "(?:");
	if (skip(reader, "=") || skip(reader, "!") || skip(reader, "<=") || skip(reader, "<!"))
		return open_look_around(reader);
	if (skip(reader, "<") || skip(reader, "P<"))
		return skip_name(reader, '>') && open_group(reader, "(?:");
	if (skip(reader, "'"))
		return skip_name(reader, '\'') && open_group(reader, "(?:");
	return open_options(reader);
}

static bool read_closing(struct reader *reader)
{
	if (reader->depth == 0)
		return false;
	if (reader->mute == reader->depth) {
		reader->mute = 0;
		reader->fixed = true;
	} else {
		write_text(reader, ")");
	}
	reader->depth--;
	return true;
}

/* The size of `{n}`, `{n,}` or `{n,m}`, behind the brace; 0 if it is none. */
static size_t repeat_size(const struct reader *reader)
{
	const char *at = reader->at;
	while (at < reader->end && is_digit(*at))
		at++;
	if (at == reader->at)
		return 0;
	if (at < reader->end && *at == ',')
		at++;
	while (at < reader->end && is_digit(*at))
		at++;
	return at < reader->end && *at == '}' ? (size_t)(at - reader->at) + 1 : 0;
}

/* What follows a quantifier changes what is tried first, or what is given back: here it does not matter. */
static void end_quantifier(struct reader *reader)
{
	if (!skip(reader, "?"))
		skip(reader, "+");
}

static bool read_brace(struct reader *reader, bool fixed)
{
	size_t size = repeat_size(reader);
	if (size == 0) {
		write_byte(reader, '{');
		return peek(reader) != ',' && peek(reader) != ' ';
	}
	if (fixed)
		return false;
	write_text(reader, "{");
	for (; size > 0; size--)
		write_text(reader, (char[]){ *reader->at++, 0 });
	end_quantifier(reader);
	return true;
}

static bool read_quantifier(struct reader *reader, int byte, bool fixed)
{
	if (fixed)
		return false;
	write_text(reader, (char[]){ (char)byte, 0 });
	end_quantifier(reader);
	return true;
}

static bool read_token(struct reader *reader)
{
	bool fixed = reader->fixed;
	reader->fixed = false;
	int byte = (unsigned char)*reader->at++;
	switch (byte) {
	case '\\':
		return read_escape_outside(reader);
	case '[':
		return read_class(reader);
	case '(':
		return read_opening(reader);
	case ')':
		return read_closing(reader);
	case '{':
		return read_brace(reader, fixed);
	case '*':
	case '+':
	case '?':
		return read_quantifier(reader, byte, fixed);
	case '^':
	case '$':
		return reader->mute > 0;
	case '.':
	case '|':
		write_text(reader, (char[]){ (char)byte, 0 });
		return true;
	default:
		write_byte(reader, byte);
		return true;
	}
}

/* Options for the whole pattern: `(?i)` at its very start. */
static void read_first_options(struct reader *reader)
{
	const struct reader start = *reader;
	if (!skip(reader, "(?"))
		return;
	write_text(reader, "(?");
	while (one_of(peek(reader), "is"))
		write_text(reader, (char[]){ *reader->at++, 0 });
	write_text(reader, ")");
	if (skip(reader, ")"))
		return;
	*reader = start;
}

static bool read_all(struct reader *reader)
{
	read_first_options(reader);
	while (reader->at < reader->end)
		if (!read_token(reader))
			return false;
	assert(reader->depth == 0 && reader->mute == 0);
	return true;
}

char *relax_pattern(const char *pattern, size_t size)
{
	char *expression = calloc(size + 1, MOST_GROWTH);
	if (!expression)
		return NULL;
	struct reader reader = { .at = pattern, .end = pattern + size, .out = expression };
	if (read_all(&reader))
		return expression;
	free(expression);
	return NULL;
}

char *relax_literal(const char *data, size_t size)
{
	char *expression = calloc(size + 1, MOST_GROWTH);
	if (!expression)
		return NULL;
	struct reader reader = { .out = expression };
	for (size_t i = 0; i < size; i++)
		write_byte(&reader, (unsigned char)data[i]);
	return expression;
}
