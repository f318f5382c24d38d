/* Reading options that are one word: booleans, counts, sizes, times, choices. */
#pragma once

#include "config/option.h"

/* Reads a value into the option's field. False with a fault where it is of another type, out of its bounds, or no
 * choice. The value of a default has no document. */
bool scalar_read(
	const struct option *option, const struct value *value, void *field, struct faults *faults);

/* The fault of a value whose kind an option does not take. `due` says what is. Always returns false. */
bool fault_kind(struct faults *faults, const struct option *option, const struct value *value,
	const char *due);
