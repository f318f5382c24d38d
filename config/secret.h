/* Secrets: strings that a file holds instead of the configuration. */
#pragma once

#include "config/document.h"

/* True for an object with a $file or $credential in it. */
bool secret_stands(const struct value *value);

/* Makes such an object the string that it stands for, without one newline at its end. It is marked as a secret, which
 * faults never show. False with a fault, and marked unknown, where it cannot be read. */
bool secret_read(struct value *value, struct faults *faults);
