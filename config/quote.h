/* What stands in a configuration, as faults quote it. */
#pragma once

#include "config/document.h"

/* The value as written: a string in quotes, a number, or what kind it is. Long ones are cut; secrets are not shown. In
 * the document's arena. */
const char *quote_value(const struct value *value);

/* Any text in quotes. */
const char *quote_text(const struct document *document, const char *text, size_t size);

/* A NULL-ended list of words: `"a", "b" or "c"`. */
const char *quote_choices(const struct document *document, const char *const *words);
