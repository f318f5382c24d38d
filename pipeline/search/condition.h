/* Conditions: what a filter looks for.
 *
 * A condition is read from the configuration (its option table is the filter's), compiled once into a `search` for a
 * framing, and then asked, run by run: where is the next record that satisfies it? How it searches is chosen when it
 * is compiled (DESIGN: search first, find a record's borders only around a hit):
 *
 *   literals   the run is searched for one literal, or for several, of which the condition needs one at least: those
 *              that it contains, or those without which its patterns match nothing
 *   records    each record is judged alone
 *
 * A hit is a candidate; the verdict is taken on the record alone, without its delimiter or prefix: the result is the same
 * in either way, only the cost differs. PCRE2 never sees more than one record.
 *
 * What a `not` is about is searched for, and the verdict is turned round: there the search finds the records that do
 * *not* satisfy the condition, and everything between them does.
 */
#pragma once

#include "config/option.h"
#include "pipeline/flow/framing.h"

struct condition {
	struct bytes_list contains, starts_with, ends_with, equals, regex;
	bool ignore_case;
	struct subtrees any, all; /* of struct condition */
	void * not ;              /* struct condition */
};

extern const struct option condition_options[];

struct search;

/* Compiles a condition, which must outlive the search, as must the delimiter; `value` is where it stands, for faults
 * (NULL: nowhere). NULL with faults: at a pattern that does not compile, with PCRE2's message and offset; at a condition
 * with no test. */
struct search *search_create(const struct condition *condition, const struct framing *framing,
	const struct value *value, struct faults *faults);

/* NULL is allowed. */
void search_destroy(struct search *search);

/* The memory that it takes: compiled patterns, what matching needs, tables. */
size_t search_cost(const struct search *search);

/* For explain: "literal over the run", "2 literals over the run, PCRE2 judges", "record by record, PCRE2 JIT". The
 * search's own. */
const char *search_method(const struct search *search);

/* True if the record's content satisfies the condition. */
bool search_judge(struct search *search, const char *content, size_t size);

/* True if search_next() finds the records that do not satisfy the condition. */
bool search_inverted(const struct search *search);

/* How often a pattern reached a limit; it counts as not matching there. */
uint64_t search_errors(const struct search *search);

/* The first record in `run` that satisfies the condition (or does not: see search_inverted), from offset `from`, a
 * record's start. The run is whole records (its last one may be bare) and begins at a record's start. False if no more
 * record does. `start` and `end` are the record's borders with its delimiter. Call it with `from` = the last end to go
 * on: nothing is remembered from one call to the next. */
bool search_next(struct search *search, const char *run, size_t size, bool bare, size_t from,
	size_t *start, size_t *end);
