/* Variables and secrets: what stands in a configuration for strings that are known only where it runs. */
#pragma once

#include "config/document.h"

/* Puts in the variables and secrets of `value` and all below it. Strings with ${NAME} become what they resolve to;
 * {"$file": …} and {"$credential": …} become strings. Where the document is not to be resolved, and where one cannot
 * be, the value is marked unknown. False with faults at those that cannot be. */
bool resolve(struct value *value, struct faults *faults);
