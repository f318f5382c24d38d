/* Literals by slices: looking for several at once, a register of places at a time.
 *
 * Of each literal up to four bytes are chosen that are rare in what is expected, and that lie well in a bucket with those
 * of others (slices.h). Where a slice may be, its bytes are looked up, and the few literals compared that have them.
 */
#pragma once

#include "pipeline/search/literal.h"

struct literal_slices;

/* The literals' bytes stay the caller's; at least one literal. NULL without memory, where the processor cannot, or
 * for thousands of literals, which would take long to lay out and be everywhere. */
struct literal_slices *literal_slices_create(const struct literal *literals, size_t count);

/* NULL is allowed. */
void literal_slices_destroy(struct literal_slices *slices);

/* True if candidates are expected to be so rare that this is faster than a table. */
bool literal_slices_pay(const struct literal_slices *slices);

/* The memory that it takes. */
size_t literal_slices_cost(const struct literal_slices *slices);

/* As literal_set_find(). */
const char *literal_slices_find(
	const struct literal_slices *slices, const char *data, size_t size, size_t *length);
