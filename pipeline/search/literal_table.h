/* Tables of literals: looking for several at once by stepping over what is in none of them.
 *
 * The literals are compared by a slice of each, all slices as long as the shortest literal. A table says for each pair
 * of bytes how far the end of every slice is at least: so most of the data is stepped over, and only where a slice may
 * end are the few literals compared that have their slice's end in common.
 *
 *     data   … u s e r   r o o t   f a i l e d …
 *                      └─┬─┘ is in no slice: go on behind it
 *
 * There is no state but the position, and nothing is assumed of the processor.
 */
#pragma once

#include "pipeline/search/literal.h"

struct literal_table;

/* The literals' bytes stay the caller's; at least one literal. NULL without memory. */
struct literal_table *literal_table_create(const struct literal *literals, size_t count);

/* NULL is allowed. */
void literal_table_destroy(struct literal_table *table);

/* The memory that it takes. */
size_t literal_table_cost(const struct literal_table *table);

/* As literal_set_find(). */
const char *literal_table_find(
	const struct literal_table *table, const char *data, size_t size, size_t *length);
