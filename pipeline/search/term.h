/* Terms: a condition as it is evaluated.
 *
 * The configuration's condition is turned into a tree whose leaves are tests and whose inner terms are `all`, `any` and
 * `not`; what has one child is the child, `not` rises as far as it can (a list of nothing but `not` is one `not` of the
 * other kind of list), and children stand in the order in which the verdict is expected to cost least: those that are
 * cheap, and of these the ones that are likely to decide. No test has an effect, so the verdict is the same in any order.
 */
#pragma once

#include "pipeline/search/condition.h"
#include "pipeline/search/finder.h"
#include "pipeline/search/literal_set.h"
#include "pipeline/search/pattern.h"

enum term_kind {
	TERM_ALL,
	TERM_ANY,
	TERM_NOT,
	TERM_CONTAINS,
	TERM_STARTS,
	TERM_ENDS,
	TERM_EQUALS,
	TERM_REGEX
};

struct term {
	enum term_kind kind;
	size_t count;             /* of children, literals or patterns */
	struct term *children;    /* ALL, ANY, NOT (one) */
	struct literal *literals; /* CONTAINS, STARTS, ENDS, EQUALS: any of them */
	struct finder finder;     /* CONTAINS: of the only one, or */
	struct literal_set *set;  /* of all of them */
	struct pattern *patterns; /* REGEX: any of them */
	double cost;              /* of judging, in no unit */
	double chance;            /* that it holds, as is expected: 0 to 1 */
};

/* Makes the tree; `value` is where the condition stands, for faults (NULL: nowhere). False with faults. In either case
 * the term must be closed. */
bool term_open(struct term *term, const struct condition *condition, const struct value *value,
	struct faults *faults);

/* A zeroed term is allowed. */
void term_close(struct term *term);

/* True if the record's content satisfies it. `matcher` may be NULL if there are no patterns. */
bool term_holds(const struct term *term, struct matcher *matcher, const char *content, size_t size);

/* The memory that it takes. */
size_t term_memory(const struct term *term);

/* How many patterns are in it, and how many of those are interpreted. */
struct pattern_count {
	size_t all, interpreted;
};
void term_count_patterns(const struct term *term, struct pattern_count *count);
