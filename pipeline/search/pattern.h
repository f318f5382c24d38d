/* Patterns: what PCRE2 judges, one record at a time.
 *
 * Patterns and records are bytes; UTF mode is refused. A search's patterns share one matcher: the memory that matching
 * takes, made at start, and the limits that keep a pattern from running away. A record at which a pattern reaches a
 * limit does not match, and is counted.
 */
#pragma once

#include "config/option.h"
#include "pipeline/search/required.h"

struct matcher;

/* `interprets`: for patterns without machine code too. NULL without memory. */
struct matcher *matcher_create(bool interprets);

/* NULL is allowed. */
void matcher_destroy(struct matcher *matcher);

/* The memory that it takes. */
size_t matcher_cost(const struct matcher *matcher);

/* How often a pattern reached a limit. */
uint64_t matcher_errors(const struct matcher *matcher);

struct pattern {
	void *code;               /* PCRE2's */
	bool machine_code;        /* JIT */
	struct required required; /* one of these is in each record that it matches */
};

/* Compiles. False with a fault at bytes->value; `which` stands before the message ("pattern 3 of 5 "). */
bool pattern_open(struct pattern *pattern, const struct bytes *bytes, bool fold, const char *which,
	struct faults *faults);

/* A zeroed pattern is allowed. */
void pattern_close(struct pattern *pattern);

size_t pattern_cost(const struct pattern *pattern);

/* True if it matches somewhere in the content. */
bool pattern_matches(
	const struct pattern *pattern, struct matcher *matcher, const char *content, size_t size);

/* From now on there is no JIT, as where memory may not be made executable. */
void pattern_refuse_machine_code_for_tests(void);
