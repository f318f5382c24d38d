/* Quoting for faults. Control characters are made visible where a fault takes its message. */
#include "config/quote.h"

#include "config/arena.h"
#include "config/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTE_MOST = 60 };

/* A cut never parts a character. */
static size_t cut(const char *text, size_t size)
{
	size_t at = 0;
	while (at < size) {
		size_t length = utf8_sequence(text + at, size - at, NULL);
		length = length == 0 ? 1 : length;
		if (at + length > QUOTE_MOST)
			break;
		at += length;
	}
	return at;
}

const char *quote_text(const struct document *document, const char *text, size_t size)
{
	size_t shown = cut(text, size);
	return arena_format(
		document->arena, "\"%.*s%s\"", (int)shown, text, shown < size ? "…" : "");
}

const char *quote_value(const struct value *value)
{
	if (value->secret)
		return "the secret";
	if (value->kind == VALUE_STRING)
		return quote_text(value->document, value->text, value->size);
	if (value->kind == VALUE_NUMBER)
		return value->text;
	if (value->kind == VALUE_BOOL)
		return value->truth ? "true" : "false";
	return value_kind_name(value->kind);
}

const char *quote_choices(const struct document *document, const char *const *words)
{
	const char *text = "";
	for (size_t i = 0; words[i] != NULL; i++) {
		const char *between = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
		text = arena_format(document->arena, "%s%s\"%s\"", text, between, words[i]);
	}
	return text;
}
