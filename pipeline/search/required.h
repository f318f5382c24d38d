/* What a pattern requires: literals, one of which at least is in whatever it matches.
 *
 *     status=5\d\d           "status=5"
 *     ^\w+: (error|fatal)    "error" "fatal"
 *     \d+|x                  nothing
 *
 * A record without any of them need not be judged. Anchors, look-around and options do not matter for that, so the
 * pattern is read only as far as needed to know which bytes follow each other in every match; what is not understood
 * makes that nothing is required, and each record is judged.
 */
#pragma once

#include "pipeline/search/literal.h"

struct required {
	struct literal *literals;
	size_t count; /* 0: nothing */
	char *bytes;  /* theirs */
};

/* Reads a pattern that PCRE2 compiles. `fold`: without regard to case. Without memory nothing is required. */
struct required required_by(const char *pattern, size_t size, bool fold);

/* A zeroed one is allowed. */
void required_close(struct required *required);

size_t required_cost(const struct required *required);
