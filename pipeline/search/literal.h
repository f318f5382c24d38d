/* Literals: plain bytes that a record's content is held against.
 *
 * With `fold`, letters of ASCII are the same in either case; every other byte is only itself. To find one in more than
 * a content's start or end is a finder's work (finder.h), several a set's (literal_set.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct literal {
	const char *data;
	size_t size; /* at least 1 */
	bool fold;
};

/* The part of places where it is expected to be, given each byte's (rarity.h). */
double literal_share(const struct literal *literal, const double shares[256]);

bool literal_starts(const struct literal *literal, const char *content, size_t size);
bool literal_ends(const struct literal *literal, const char *content, size_t size);
bool literal_equals(const struct literal *literal, const char *content, size_t size);
