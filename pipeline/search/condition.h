/* Conditions: what a filter looks for.
 *
 * A condition is read from the configuration (its option table is the filter's), compiled once into a `search` for a
 * framing, and then asked, run by run: where is the next record that satisfies it? How it searches is chosen when it
 * is compiled (DESIGN: search first, find a record's borders only around a hit):
 *
 *   literal    the run is searched for one literal (memmem, or without case a vectorscan literal)
 *   pattern    the run is searched with vectorscan; PCRE2 has the verdict where the pattern needs one
 *   records    each record is judged alone
 *
 * A hit is a candidate; the verdict is taken on the record alone, without its delimiter or prefix. The result is the
 * same in each way; only the cost differs.
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

/* Compiles a condition. NULL with faults (at the pattern that does not compile, with PCRE2's message and its offset; at
 * a condition with no test). `max_record` bounds what is judged. */
struct search *search_create(const struct condition *condition, const struct framing *framing,
	uint64_t max_record, struct faults *faults);
void search_destroy(struct search *search);

/* The memory that it takes: databases, scratch, compiled patterns. */
size_t search_cost(const struct search *search);

/* For explain: "literal over the run", "vectorscan over the run, PCRE2 judges", "record by record, PCRE2 JIT". Static or
 * the search's own. */
const char *search_method(const struct search *search);

/* True if the record's content satisfies the condition. */
bool search_judge(struct search *search, const char *content, size_t size);

/* The first record in `run` that satisfies the condition, from offset `from`, a record's start. The run is whole records
 * (its last one may be bare) and begins at a record's start. False if no more record does. `start` and `end` are the
 * record's borders with its delimiter. Call it with `from` = the last end to go on. */
bool search_next(struct search *search, const char *run, size_t size, bool bare, size_t from,
	size_t *start, size_t *end);
