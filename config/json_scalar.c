/* Numbers and literal names of JSON: RFC 8259, sections 3 and 6. */
#include "config/json_scalar.h"

#include "config/arena.h"
#include "config/nearest.h"

#include <ctype.h>
#include <string.h>

static size_t digits_at(const struct scanner *scanner, size_t at)
{
	size_t count = 0;
	while (at + count < scanner->size && isdigit((unsigned char)scanner->text[at + count]))
		count++;
	return count;
}

static char byte_at(const struct scanner *scanner, size_t at)
{
	return at < scanner->size ? scanner->text[at] : '\0';
}

/* Where the number that begins at `at` ends by the grammar; `at` itself if none begins. */
static size_t number_end(const struct scanner *scanner, size_t at)
{
	size_t from = at;
	at += byte_at(scanner, at) == '-';
	size_t whole = digits_at(scanner, at);
	if (whole == 0 || (whole > 1 && byte_at(scanner, at) == '0'))
		return from;
	at += whole;
	if (byte_at(scanner, at) == '.') {
		size_t fraction = digits_at(scanner, at + 1);
		if (fraction == 0)
			return from;
		at += 1 + fraction;
	}
	if (byte_at(scanner, at) == 'e' || byte_at(scanner, at) == 'E') {
		size_t sign = byte_at(scanner, at + 1) == '+' || byte_at(scanner, at + 1) == '-';
		size_t exponent = digits_at(scanner, at + 1 + sign);
		if (exponent == 0)
			return from;
		at += 1 + sign + exponent;
	}
	return at;
}

bool json_scalar_number(struct scanner *scanner, struct value *value)
{
	size_t from = scanner->at, end = scanner_word_end(scanner, from);
	if (number_end(scanner, from) != end)
		return scanner_fault(scanner, from, end,
			"write a decimal number, or a string in quotes", "%s is not a number",
			scanner_quote(scanner, from, end));
	if (end - from > JSON_NUMBER_SIZE)
		return scanner_fault(scanner, from, end, "write fewer digits",
			"a number of more than %d characters", JSON_NUMBER_SIZE);
	value->kind = VALUE_NUMBER;
	value->size = end - from;
	value->text = arena_copy(scanner->document->arena, scanner->text + from, end - from);
	scanner->at = end;
	return true;
}

static const char *word_remedy(const struct scanner *scanner, size_t from, size_t end)
{
	static const char *const ours[] = { "true", "false", "null", NULL };
	static const struct {
		const char *theirs, *ours;
	} words[] = { { "yes", "true" }, { "on", "true" }, { "no", "false" }, { "off", "false" },
		{ "none", "null" }, { "nil", "null" }, { "undefined", "null" } };
	struct arena *arena = scanner->document->arena;
	const char *word = arena_copy(arena, scanner->text + from, end - from);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].theirs, word) == 0)
			return arena_format(arena, "write %s", words[i].ours);
	const char *near = nearest(word, ours);
	return near != NULL ? arena_format(arena, "write %s, or \"%s\"", near, word)
			    : arena_format(arena, "write \"%s\"", word);
}

/* A word where YAML has its first key, or TOML its first section. */
static bool is_other_language(const struct scanner *scanner)
{
	const struct value *inside = scanner->inside;
	return inside == NULL || (inside->parent == NULL && inside->kind == VALUE_LIST &&
					 inside->first->next == NULL);
}

bool json_scalar_word(struct scanner *scanner, struct value *value)
{
	size_t from = scanner->at, end = scanner_word_end(scanner, from), size = end - from;
	scanner->at = end;
	const char *word = scanner->text + from;
	value->kind = VALUE_BOOL;
	value->truth = size == 4 && memcmp(word, "true", 4) == 0;
	if (value->truth || (size == 5 && memcmp(word, "false", 5) == 0))
		return true;
	value->kind = VALUE_NULL;
	if (size == 4 && memcmp(word, "null", 4) == 0)
		return true;
	if (is_other_language(scanner))
		return scanner_fault(scanner, from, end, "write an object: {\"pipelines\": {…}}",
			"a configuration is JSON, and begins with {");
	return scanner_fault(scanner, from, end, word_remedy(scanner, from, end),
		"a string stands in double quotes");
}
