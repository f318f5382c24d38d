/* Reading options that are bytes or text: strings, lists of strings, bytes, lists of bytes. */
#pragma once

#include "config/option.h"

/* Reads a value into the option's field. False with faults where it is of another type or empty. */
bool bytes_option_read(
	const struct option *option, const struct value *value, void *field, struct faults *faults);
