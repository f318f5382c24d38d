/* Finders: where one literal first is, in data of any size.
 *
 * Of the literal's bytes the two are chosen that are rarest in logs and JSON (rarity.h). They are looked for at their
 * distance, a register of places at a time, and only where both are is the literal compared:
 *
 *     literal    s t a t u s = 5       the rare bytes: `=` and `5`
 *     data       … b y t e s = 3 1 … s t a t u s = 5 0 3 …
 *                            = ✓ 5 ✗               = ✓ 5 ✓   compared
 *
 * Letters in either case cost nothing more. Data in which the two bytes are often and the literal is seldom ("aaaaaaab")
 * are given up on: what is left is walked with Knuth, Morris and Pratt's table, so the time is linear whatever comes.
 * Nothing beyond the data is read.
 */
#pragma once

#include "pipeline/search/literal.h"

#include <stdint.h>

/* One of the two bytes. */
struct rare {
	size_t at;                 /* where in the literal */
	unsigned char byte;        /* a letter that is the same in either case: the small one, */
	unsigned char either_case; /* and what differs in the other: 0x20; else 0 */
};

struct finder;

/* The first of `places` at which the literal may begin and begins; NULL if there is none. */
typedef const char *finder_search(const struct finder *finder, const char *data, size_t places);

struct finder {
	struct rare first, second;
	finder_search *search;
	size_t size;          /* the literal's */
	unsigned char *bytes; /* the literal, folded letters small */
	unsigned char
		*cases; /* 0x20 for letters that are the same in either case, 0 for other bytes */
	uint32_t *
		fallback; /* how many bytes are still right where the next one is wrong; NULL: a short literal */
};

/* The literal's bytes are not needed afterwards. False without memory. */
bool finder_open(struct finder *finder, const struct literal *literal);

/* A zeroed finder is allowed. */
void finder_close(struct finder *finder);

/* The memory that it takes beside the struct. */
size_t finder_cost(const struct finder *finder);

/* Where the literal first is; NULL if it is not. */
const char *finder_find(const struct finder *finder, const char *data, size_t size);
