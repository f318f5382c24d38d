/* What a pattern requires: strings of byte classes, one of which at least is in whatever it matches.
 *
 *     status=5\d\d           "status=5" and two digits
 *     ^\w+: (error|fatal)    "error" "fatal"
 *     .*|x                   nothing
 *
 * A record without any of them need not be judged. Anchors, look-around and options do not matter for that, so the
 * pattern is read only as far as needed to know which bytes follow each other in every match; what is not understood
 * makes that nothing is required, and each record is judged.
 *
 * Where the pattern is nothing but such strings, what has one of them matches: then none has to be judged.
 *
 *     (error|fatal) \d+      "error " "fatal "   and nothing more: whether there is one digit or ten
 */
#pragma once

#include "pipeline/search/sequence.h"

struct required {
	struct sequence *sequences;
	size_t count;               /* 0: nothing */
	bool enough;                /* a record that has one of them matches */
	double share;               /* of places where one of them is expected */
	struct byte_class *classes; /* theirs */
	char *bytes;                /* their literals' */
};

/* Reads a pattern that PCRE2 compiles. `fold`: without regard to case. Without memory nothing is required. */
struct required required_by(const char *pattern, size_t size, bool fold);

/* A zeroed one is allowed. */
void required_close(struct required *required);

size_t required_cost(const struct required *required);
