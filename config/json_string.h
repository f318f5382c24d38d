/* Strings of JSON. */
#pragma once

#include "config/scanner.h"

/* From the first quote at the place behind the last. `nul` is set if \u0000 is in it, which is a fault, but not the end.
 * False with a fault. */
bool json_string_scan(struct scanner *scanner, bool *nul);
