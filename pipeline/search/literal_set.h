/* A set of literals, looked for all at once.
 *
 * By slices of four bytes, a register of places at a time (literal_slices.h), where the processor has such registers and
 * the slices are rare enough in what is expected; else by stepping with a table (literal_table.h). Either finds every
 * occurrence.
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
