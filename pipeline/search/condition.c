/* The filter's options, and searching runs for a condition. */

#include "pipeline/search/condition.h"

#include "pipeline/search/sieve.h"
#include "pipeline/search/term.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	bool inverted; /* the condition is that `term` does not hold */
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
	if (sieve->count == 0)
		snprintf(text, size, "record by record");
	else if (sieve->count == 1)
		snprintf(text, size, "%s over the run",
			sieve->sequences ? "byte classes" : "literal");
	else
		snprintf(text, size, "%zu %s over the run", sieve->count,
			sieve->sequences ? "strings of byte classes" : "literals");
}

static const char *judge_name(const struct search *search, const struct pattern_count *patterns)
{
	bool searched = search->sieve.count > 0;
	if (search->sieve.enough)
		return "";
	if (patterns->interpreted > 0)
		return searched ? ", PCRE2 without JIT judges" : ", PCRE2 without JIT";
	if (patterns->all > 0)
		return searched ? ", PCRE2 judges" : ", PCRE2 JIT";
	return searched ? ", each hit is judged" : "";
}

static void describe(struct search *search, const struct pattern_count *patterns)
{
	char sieve[64];
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
	if ((patterns.all > 0 && !search->matcher) || !sieve_open(&search->sieve, &search->term))
		return fault_at(faults, NULL, NULL, "there is no memory to compile a condition");
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
	size_t cost = sizeof(*search) + term_memory(&search->term) + sieve_cost(&search->sieve);
	if (search->matcher)
		cost += matcher_cost(search->matcher);
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

/* Something of the next record that is worth judging, and its size. */
static const char *candidate(
	const struct search *search, const char *data, size_t size, size_t *length)
{
	if (search->sieve.count > 0)
		return sieve_find(&search->sieve, data, size, length);
	*length = 0;
	return size > 0 ? data : NULL;
}

/* A record of a run, and its content. */
struct extent {
	size_t start, end;
	const char *content;
	size_t size;
};

/* The record that `hit` is in, where one byte ends records; `from` is a record's start before it. */
static struct extent extent_by_byte(const struct framing *framing, const char *run, size_t size,
	bool bare, size_t from, const char *hit)
{
	char delimiter = framing->delimiter[0];
	const char *before = memrchr(run + from, delimiter, (size_t)(hit - run) - from);
	const char *content = before ? before + 1 : run + from;
	const char *end = memchr(hit, delimiter, (size_t)(run + size - hit));
	assert(end || bare);
	bool ended = end != NULL;
	end = ended ? end : run + size;
	size_t length = (size_t)(end - content);
	if (framing->crlf && ended && length > 0 && content[length - 1] == '\r')
		length--;
	return (struct extent){ .start = (size_t)(content - run),
		.end = (size_t)(end - run) + ended,
		.content = content,
		.size = length };
}

/* The same for all framings. */
static struct extent extent_of(const struct framing *framing, const char *run, size_t size,
	bool bare, size_t from, const char *hit)
{
	if (framing->kind == FRAMING_DELIMITED && framing->delimiter_size == 1)
		return extent_by_byte(framing, run, size, bare, from, hit);
	struct extent extent = { .start = from };
	extent.start += framing_start(framing, run + from, (size_t)(hit - run) - from);
	size_t whole = framing_first(framing, run + extent.start, size - extent.start);
	assert(whole > 0 || bare);
	extent.end = whole == 0 ? size : extent.start + whole;
	struct content content = framing_content(
		framing, run + extent.start, extent.end - extent.start, bare && extent.end == size);
	extent.content = run + extent.start + content.offset;
	extent.size = content.size;
	return extent;
}

/* True if the search has found what decides. */
static bool decides(
	const struct search *search, const struct extent *extent, const char *hit, size_t length)
{
	return search->sieve.enough && hit >= extent->content &&
	       hit + length <= extent->content + extent->size;
}

bool search_next(struct search *search, const char *run, size_t size, bool bare, size_t from,
	size_t *start, size_t *end)
{
	const char *hit;
	size_t length;
	while ((hit = candidate(search, run + from, size - from, &length))) {
		struct extent extent = extent_of(&search->framing, run, size, bare, from, hit);
		if (decides(search, &extent, hit, length) ||
			term_holds(&search->term, search->matcher, extent.content, extent.size)) {
			*start = extent.start;
			*end = extent.end;
			return true;
		}
		from = extent.end;
	}
	return false;
}
