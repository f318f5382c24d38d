/* Literals: plain bytes that a record's content is held against.
 *
 * With `fold`, letters of ASCII are the same in either case; every other byte is only itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct literal {
	const char *data;
	size_t size; /* at least 1 */
	bool fold;
};

/* Where the literal first is in `data`; NULL if it is not. Not for `fold`: that is a set's work (literal_set.h). */
const char *literal_find(const struct literal *literal, const char *data, size_t size);

bool literal_starts(const struct literal *literal, const char *content, size_t size);
bool literal_ends(const struct literal *literal, const char *content, size_t size);
bool literal_equals(const struct literal *literal, const char *content, size_t size);
