/* A set of literals, looked for all at once.
 *
 * The literals are compared by a slice of each, all slices as long as the shortest literal. A table says for each pair
 * of bytes how far the end of every slice is at least: so most of the data is stepped over, and only where a slice may
 * end are the few literals compared that have their slice's end in common.
 *
 *     data   … u s e r   r o o t   f a i l e d …
 *                      └─┬─┘ is in no slice: go on behind it
 *
 * It finds every occurrence: there is no state but the position, and nothing is assumed of processor or alignment.
 */
#pragma once

#include "pipeline/search/literal.h"

struct literal_set;

/* The literals' bytes stay the caller's; at least one literal. NULL without memory. */
struct literal_set *literal_set_create(const struct literal *literals, size_t count);

/* NULL is allowed. */
void literal_set_destroy(struct literal_set *set);

/* The memory that it takes. */
size_t literal_set_cost(const struct literal_set *set);

/* An occurrence of one of them in `data`; of two that do not overlap the first. NULL if there is none. `length` gets
 * the literal's size. */
const char *literal_set_find(
	const struct literal_set *set, const char *data, size_t size, size_t *length);
