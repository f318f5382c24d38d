/* Reading tokens as PCRE2 does. */

#include "pipeline/search/token.h"

#include <stdlib.h>
#include <string.h>

static bool next_is(const struct tokens *tokens, const char *text)
{
	size_t size = strlen(text);
	return (size_t)(tokens->end - tokens->at) >= size && memcmp(tokens->at, text, size) == 0;
}

bool tokens_skip(struct tokens *tokens, const char *text)
{
	if (!next_is(tokens, text))
		return false;
	tokens->at += strlen(text);
	return true;
}

int tokens_peek(const struct tokens *tokens)
{
	return tokens->at < tokens->end ? (unsigned char)*tokens->at : -1;
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

/* Two hexadecimal digits, bare or in braces, behind `\x`. -1: others. */
static int read_hex(struct tokens *tokens)
{
	bool braces = tokens_skip(tokens, "{");
	if (tokens->end - tokens->at < 2 + braces)
		return -1;
	int high = hex_value(tokens->at[0]), low = hex_value(tokens->at[1]);
	if (high < 0 || low < 0 || (braces && tokens->at[2] != '}'))
		return -1;
	tokens->at += 2 + braces;
	return high << 4 | low;
}

/* The byte that an escape stands for, whose letter was read; -1: it is none, or not understood. */
static int read_escaped_byte(struct tokens *tokens, int letter)
{
	static const char named[] = "tnrfea", stands_for[] = "\t\n\r\f\033\a";
	if (letter == 'x')
		return read_hex(tokens);
	const char *name = strchr(named, letter);
	if (name)
		return (unsigned char)stands_for[name - named];
	return is_digit(letter) || is_letter(letter) ? -1 : letter;
}

/* What `\d` and its like stand for, in the tables that PCRE2 brings; `\N` is any byte but LF, `\n` is no class. False:
 * it is none of them. */
static bool class_of_letter(int letter, struct byte_class *class)
{
	static const struct {
		char letter;
		const char *bytes; /* pairs, from and to */
	} known[] = { { 'd', "09" }, { 'w', "09AZ__az" }, { 's', "\t\r  " },
		{ 'h', "\t\t  \xa0\xa0" }, { 'v', "\n\r\x85\x85" }, { 'n', "\n\n" } };
	*class = (struct byte_class){ 0 };
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].letter != (letter | 0x20) || letter == 'n')
			continue;
		for (const char *pair = known[i].bytes; *pair; pair += 2)
			byte_class_add_range(class, (unsigned char)pair[0], (unsigned char)pair[1]);
		if (!(letter & 0x20))
			byte_class_invert(class);
		return true;
	}
	return false;
}

static struct token token_of(enum token_kind kind)
{
	return (struct token){ .kind = kind };
}

static struct token token_of_byte(const struct tokens *tokens, int byte)
{
	struct token token = token_of(byte < 0 ? TOKEN_UNKNOWN : TOKEN_CLASS);
	if (byte >= 0)
		byte_class_add(&token.class, (unsigned char)byte);
	if (tokens->fold)
		byte_class_fold(&token.class);
	return token;
}

static struct token read_escape(struct tokens *tokens)
{
	struct token token = token_of(TOKEN_CLASS);
	int next = tokens_peek(tokens);
	if (next <= ' ' || next >= 0x7f)
		return token_of(TOKEN_UNKNOWN);
	tokens->at++;
	if (one_of(next, "bBAzZGK"))
		return token_of(TOKEN_ANCHOR);
	if (one_of(next, "RXC"))
		return token_of(TOKEN_ATOM);
	if (next == 'N' && tokens_peek(tokens) == '{')
		return token_of(TOKEN_UNKNOWN);
	if (next >= '1' && next <= '9')
		return token_of(is_digit(tokens_peek(tokens)) ? TOKEN_UNKNOWN : TOKEN_ATOM);
	if (class_of_letter(next, &token.class))
		return token;
	return token_of_byte(tokens, read_escaped_byte(tokens, next));
}

/* Classes in brackets */

/* What is read of one. */
struct brackets {
	struct byte_class class;
	bool vague;    /* it has something that is not understood: any byte may be in it */
	bool inverted; /* or a part of it is */
};

static const struct {
	const char *name, *bytes; /* pairs, from and to */
} posix[] = { { "alpha", "AZaz" }, { "lower", "az" }, { "upper", "AZ" }, { "alnum", "09AZaz" },
	{ "ascii", "\1\x7f" }, { "blank", "\t\t  " }, { "cntrl", "\1\x1f\x7f\x7f" },
	{ "digit", "09" }, { "graph", "!~" }, { "print", " ~" }, { "punct", "!/:@[`{~" },
	{ "space", "\t\r  " }, { "word", "09AZ__az" }, { "xdigit", "09AFaf" } };

static void add_posix(
	struct brackets *brackets, const char *name, size_t size, bool inverted, bool fold)
{
	struct byte_class class = { 0 };
	bool known = false;
	for (size_t i = 0; i < sizeof(posix) / sizeof(*posix); i++) {
		if (strlen(posix[i].name) != size || memcmp(posix[i].name, name, size) != 0)
			continue;
		known = true;
		for (const char *pair = posix[i].bytes; *pair; pair += 2)
			byte_class_add_range(
				&class, (unsigned char)pair[0], (unsigned char)pair[1]);
		if (posix[i].bytes[0] == '\1')
			byte_class_add(&class, 0);
	}
	if (fold)
		byte_class_fold(&class);
	if (inverted)
		byte_class_invert(&class);
	byte_class_join(&brackets->class, &class);
	brackets->vague |= !known;
	brackets->inverted |= inverted;
}

/* `[:alpha:]` and the like. */
static bool read_posix(struct tokens *tokens, struct brackets *brackets)
{
	if (!tokens_skip(tokens, "[:"))
		return false;
	bool inverted = tokens_skip(tokens, "^");
	const char *name = tokens->at;
	while (is_letter(tokens_peek(tokens)))
		tokens->at++;
	add_posix(brackets, name, (size_t)(tokens->at - name), inverted, tokens->fold);
	return tokens_skip(tokens, ":]");
}

/* A byte, or a class that an escape stands for: then *byte is -1. */
static bool read_element_byte(struct tokens *tokens, struct brackets *brackets, int *byte)
{
	bool escaped = tokens_skip(tokens, "\\");
	struct byte_class class;
	*byte = tokens_peek(tokens);
	if (*byte < 0 || (escaped && one_of(*byte, "QEc")))
		return false;
	tokens->at++;
	if (!escaped)
		return true;
	int letter = *byte;
	*byte = -1;
	if (letter == 'b') {
		*byte = '\b';
	} else if (letter != 'N' && class_of_letter(letter, &class)) {
		byte_class_join(&brackets->class, &class);
	} else {
		*byte = read_escaped_byte(tokens, letter);
		brackets->vague |= *byte < 0;
	}
	return true;
}

/* One element, or two with a hyphen between. */
static bool read_element(struct tokens *tokens, struct brackets *brackets)
{
	int first, last;
	if (next_is(tokens, "[:") || next_is(tokens, "[.") || next_is(tokens, "[="))
		return read_posix(tokens, brackets);
	if (!read_element_byte(tokens, brackets, &first))
		return false;
	last = first;
	if (next_is(tokens, "-") && !next_is(tokens, "-]")) {
		tokens->at++;
		if (next_is(tokens, "["))
			brackets->vague = true;
		if (!read_element_byte(tokens, brackets, &last))
			return false;
		brackets->vague |= first < 0 || last < first;
	}
	if (first >= 0 && last >= first)
		byte_class_add_range(&brackets->class, (unsigned char)first, (unsigned char)last);
	return true;
}

/* A class, behind its opening bracket: a bracket that closes is its first element, if it is the first. */
static struct token read_brackets(struct tokens *tokens)
{
	struct brackets brackets = { 0 };
	bool inverted = brackets.inverted = tokens_skip(tokens, "^");
	for (bool first = true; first || tokens_peek(tokens) != ']'; first = false)
		if (!read_element(tokens, &brackets))
			return token_of(TOKEN_UNKNOWN);
	tokens->at++;
	bool too_much = tokens->fold && tokens->altered; /* inverted it would be too little */
	if (brackets.vague || (brackets.inverted && too_much))
		return token_of(TOKEN_ATOM);
	if (tokens->fold)
		byte_class_fold(&brackets.class);
	if (inverted)
		byte_class_invert(&brackets.class);
	return (struct token){ TOKEN_CLASS, brackets.class };
}

/* Groups */

static bool skip_name(struct tokens *tokens, const char *closing)
{
	while (is_letter(tokens_peek(tokens)) || is_digit(tokens_peek(tokens)) ||
		tokens_peek(tokens) == '_')
		tokens->at++;
	return tokens_skip(tokens, closing);
}

/* `(?i)`, `(?i:`. Without regard to case anywhere is taken for without regard to case from here on: more is found, never
 * less. Free spacing is not understood. */
static struct token read_options(struct tokens *tokens)
{
	bool on = true, whole = tokens->at - tokens->start == 2;
	for (; one_of(tokens_peek(tokens), "imsnJU-^"); tokens->at++) {
		int option = tokens_peek(tokens);
		on = on && option != '-';
		tokens->fold |= on && option == 'i';
		tokens->dots_all |= on && option == 's';
		whole = whole && on && option != '^';
	}
	tokens->altered |= !whole;
	if (!tokens_skip(tokens, ":"))
		return token_of(tokens_skip(tokens, ")") ? TOKEN_OPTION : TOKEN_UNKNOWN);
	tokens->altered = true;
	return token_of(TOKEN_GROUP);
}

/* Behind an opening parenthesis. */
static struct token read_opening(struct tokens *tokens)
{
	if (next_is(tokens, "*"))
		return token_of(TOKEN_UNKNOWN);
	if (!tokens_skip(tokens, "?") || tokens_skip(tokens, ":") || tokens_skip(tokens, ">") ||
		tokens_skip(tokens, "|"))
		return token_of(TOKEN_GROUP);
	if (tokens_skip(tokens, "=") || tokens_skip(tokens, "!") || tokens_skip(tokens, "<=") ||
		tokens_skip(tokens, "<!"))
		return token_of(TOKEN_LOOK);
	if (tokens_skip(tokens, "<") || tokens_skip(tokens, "P<"))
		return token_of(skip_name(tokens, ">") ? TOKEN_GROUP : TOKEN_UNKNOWN);
	if (tokens_skip(tokens, "'"))
		return token_of(skip_name(tokens, "'") ? TOKEN_GROUP : TOKEN_UNKNOWN);
	return read_options(tokens);
}

/* Quantifiers */

/* The size of `{n}`, `{n,}` or `{n,m}`; 0 if it is none. */
static size_t repeat_size(const struct tokens *tokens)
{
	const char *at = tokens->at + 1;
	if (at >= tokens->end || !is_digit(*at))
		return 0;
	while (at < tokens->end && is_digit(*at))
		at++;
	if (at < tokens->end && *at == ',')
		at++;
	while (at < tokens->end && is_digit(*at))
		at++;
	return at < tokens->end && *at == '}' ? (size_t)(at - tokens->at) + 1 : 0;
}

struct repeat tokens_repeat(struct tokens *tokens)
{
	int next = tokens_peek(tokens);
	size_t size = next == '{' ? repeat_size(tokens) : one_of(next, "*+?");
	struct repeat repeat = { .least = 1 };
	if (size == 0)
		return repeat;
	if (next == '{') {
		char *behind;
		repeat.least = strtoul(tokens->at + 1, &behind, 10);
		repeat.varies = *behind != '}';
	} else {
		repeat = (struct repeat){ .least = next == '+', .varies = true };
	}
	tokens->at += size;
	if (!tokens_skip(tokens, "?"))
		repeat.possessive = tokens_skip(tokens, "+");
	return repeat;
}

/* A brace that begins no repetition is itself. Versions of PCRE2 differ in `{,n}` and in what blanks mean there. */
static struct token read_brace(struct tokens *tokens)
{
	int next = tokens_peek(tokens);
	return one_of(next, ", ") || is_digit(next) ? token_of(TOKEN_UNKNOWN)
						    : token_of_byte(tokens, '{');
}

/* A dot stands for any byte but LF. */
static struct token read_dot(const struct tokens *tokens)
{
	struct token token = token_of(TOKEN_CLASS);
	if (!tokens->dots_all)
		byte_class_add(&token.class, '\n');
	byte_class_invert(&token.class);
	return token;
}

struct token tokens_next(struct tokens *tokens)
{
	int next = (unsigned char)*tokens->at++;
	switch (next) {
	case '\\':
		return read_escape(tokens);
	case '[':
		return read_brackets(tokens);
	case '(':
		return read_opening(tokens);
	case '{':
		return read_brace(tokens);
	case '^':
	case '$':
		return token_of(TOKEN_ANCHOR);
	case '.':
		return read_dot(tokens);
	case '*':
	case '+':
	case '?':
		return token_of(TOKEN_UNKNOWN);
	default:
		return token_of_byte(tokens, next);
	}
}
