/* The filter's options, and searching runs for a condition. */

#include "pipeline/search/condition.h"

#include "pipeline/search/sieve.h"
#include "pipeline/search/term.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

const struct option condition_options[] = {
	OPTION(BYTES_LIST, struct condition, contains, .primary = true, .example = "\"ERROR\"",
		.doc = "Any of these bytes are somewhere in the record."),
	OPTION(BYTES_LIST, struct condition, starts_with,
		.doc = "The record starts with any of these."),
	OPTION(BYTES_LIST, struct condition, ends_with,
		.doc = "The record ends with any of these."),
	OPTION(BYTES_LIST, struct condition, equals, .doc = "The record is one of these."),
	OPTION(BYTES_LIST, struct condition, regex, .example = "\"status=5\\\\d\\\\d\"",
		.doc = "Any of these patterns (PCRE2, bytes) matches somewhere in the record."),
	OPTION(BOOL, struct condition, ignore_case,
		.doc = "The tests beside it take letters of ASCII as the same in either case."),
	OPTION(SUBTREES, struct condition, any, .table = condition_options,
		.table_size = sizeof(struct condition),
		.doc = "One of these conditions holds, or more."),
	OPTION(SUBTREES, struct condition, all, .table = condition_options,
		.table_size = sizeof(struct condition), .doc = "All of these conditions hold."),
	OPTION(SUBTREE, struct condition, not, .table = condition_options,
		.table_size = sizeof(struct condition), .doc = "This condition does not hold."),
	OPTIONS_END
};

struct search {
	struct framing framing;
	struct term term;
	bool inverted;        /* the condition is that `term` does not hold */
	bool literal_decides; /* a hit of the literal inside a record is the verdict */
	struct matcher *matcher;
	struct sieve sieve;
	char method[96];
};

void search_destroy(struct search *search)
{
	if (!search)
		return;
	sieve_close(&search->sieve);
	term_close(&search->term);
	matcher_destroy(search->matcher);
	free(search);
}

/* A `not` at the top is taken off, and remembered. */
static void take_not_off(struct search *search)
{
	if (search->term.kind != TERM_NOT)
		return;
	struct term *child = search->term.children;
	search->term = *child;
	free(child);
	search->inverted = true;
}

static void describe_sieve(char *text, size_t size, const struct sieve *sieve)
{
	if (sieve->literal || (sieve->scanner && !sieve->patterns && sieve->count == 1))
		snprintf(text, size, "literal over the run");
	else if (sieve->scanner && !sieve->patterns)
		snprintf(text, size, "%zu literals over the run", sieve->count);
	else if (sieve->scanner)
		snprintf(text, size, "vectorscan over the run");
	else
		snprintf(text, size, "record by record");
}

static const char *judge_name(const struct search *search, const struct pattern_count *patterns)
{
	bool searched = search->sieve.literal || search->sieve.scanner;
	bool leaf = search->term.kind == TERM_CONTAINS;
	if (patterns->interpreted > 0)
		return searched ? ", PCRE2 without JIT judges" : ", PCRE2 without JIT";
	if (patterns->all > 0)
		return searched ? ", PCRE2 judges" : ", PCRE2 JIT";
	return searched && !leaf ? ", each hit is judged" : "";
}

static void describe(struct search *search, const struct pattern_count *patterns)
{
	char sieve[48];
	describe_sieve(sieve, sizeof(sieve), &search->sieve);
	snprintf(search->method, sizeof(search->method), "%s%s", sieve,
		judge_name(search, patterns));
}

static bool compile(struct search *search, struct faults *faults)
{
	struct pattern_count patterns = { 0 };
	take_not_off(search);
	term_count_patterns(&search->term, &patterns);
	if (patterns.all > 0)
		search->matcher = matcher_create(patterns.interpreted > 0);
	if ((patterns.all > 0 && !search->matcher) ||
		!sieve_open(&search->sieve, &search->term, &search->framing))
		return fault_at(faults, NULL, NULL, "there is no memory to compile a condition");
	search->literal_decides = search->sieve.literal && search->term.kind == TERM_CONTAINS;
	describe(search, &patterns);
	return true;
}

struct search *search_create(const struct condition *condition, const struct framing *framing,
	const struct value *value, struct faults *faults)
{
	struct search *search = calloc(1, sizeof(*search));
	if (!search) {
		fault_at(faults, NULL, NULL, "there is no memory to compile a condition");
		return NULL;
	}
	search->framing = *framing;
	if (term_open(&search->term, condition, value, faults) && compile(search, faults))
		return search;
	search_destroy(search);
	return NULL;
}

size_t search_cost(const struct search *search)
{
	size_t cost = sizeof(*search) + term_memory(&search->term);
	if (search->matcher)
		cost += matcher_cost(search->matcher);
	if (search->sieve.scanner && !search->sieve.borrowed)
		cost += scanner_cost(search->sieve.scanner);
	return cost;
}

const char *search_method(const struct search *search)
{
	return search->method;
}

bool search_judge(struct search *search, const char *content, size_t size)
{
	return term_holds(&search->term, search->matcher, content, size) != search->inverted;
}

bool search_inverted(const struct search *search)
{
	return search->inverted;
}

uint64_t search_errors(const struct search *search)
{
	return search->matcher ? matcher_errors(search->matcher) : 0;
}

void search_begin(struct search *search)
{
	if (search->sieve.scanner)
		scanner_begin(search->sieve.scanner);
}

/* A byte of the next record that is worth judging. */
static const char *candidate(struct search *search, const char *at, const char *end)
{
	if (search->sieve.literal)
		return literal_find(search->sieve.literal, at, (size_t)(end - at));
	if (search->sieve.scanner)
		return scanner_next(search->sieve.scanner, &search->framing, at, end);
	return at < end ? at : NULL;
}

/* The verdict on the record at `record`, in which something was found at `hit`. */
static bool verdict(struct search *search, const char *record, size_t content, const char *hit)
{
	if (search->literal_decides &&
		(size_t)(hit - record) + search->sieve.literal->size <= content)
		return true;
	return term_holds(&search->term, search->matcher, record, content);
}

bool search_next(struct search *search, const char *run, size_t size, bool bare, size_t from,
	size_t *start, size_t *end)
{
	const struct framing *framing = &search->framing;
	const char *hit;
	while ((hit = candidate(search, run + from, run + size))) {
		*start = from + framing_start(framing, run + from, (size_t)(hit - run) - from);
		size_t whole = framing_first(framing, run + *start, size - *start);
		bool lacks_end = whole == 0;
		assert(!lacks_end || bare);
		*end = lacks_end ? size : *start + whole;
		size_t content = framing_content(framing, run + *start, *end - *start, lacks_end);
		if (verdict(search, run + *start, content, hit))
			return true;
		from = *end;
	}
	return false;
}
