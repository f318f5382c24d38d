/* split, against an oracle that reads one byte at a time. */

#include "tests/support/bench.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rule { RULE_TRUNCATE, RULE_DROP, RULE_SPLIT };
enum last { LAST_KEEP, LAST_COMPLETE, LAST_DROP };

struct growing {
	char *data;
	size_t size;
};

static void add(struct growing *to, const char *data, size_t size)
{
	to->data = realloc(to->data, to->size + size + 1);
	cr_assert(to->data);
	memcpy(to->data + to->size, data, size);
	to->size += size;
	to->data[to->size] = '\0';
}

struct oracle {
	const char *delimiter;
	size_t delimiter_size;
	uint64_t limit;
	enum rule rule;
	enum last last;
	struct growing out;
	bool owes; /* what was put last lacks its delimiter */
	unsigned records, dropped, truncated;
};

static void emit(struct oracle *oracle, const char *data, size_t size, bool terminated)
{
	if (oracle->owes)
		add(&oracle->out, oracle->delimiter, oracle->delimiter_size);
	add(&oracle->out, data, size);
	if (terminated)
		add(&oracle->out, oracle->delimiter, oracle->delimiter_size);
	oracle->owes = !terminated;
	oracle->records++;
}

static void judge(struct oracle *oracle, const char *data, size_t size, bool terminated)
{
	if (size > oracle->limit && oracle->rule == RULE_DROP) {
		oracle->dropped++;
		return;
	}
	if (size > oracle->limit && oracle->rule == RULE_TRUNCATE) {
		oracle->truncated++;
		size = oracle->limit;
	}
	for (; size > oracle->limit; data += oracle->limit, size -= oracle->limit)
		emit(oracle, data, oracle->limit, false);
	emit(oracle, data, size, terminated);
}

static void judge_last(struct oracle *oracle, const char *data, size_t size)
{
	bool cut = size > oracle->limit && oracle->rule == RULE_TRUNCATE;
	if (size == 0)
		return;
	if (oracle->last != LAST_DROP) {
		judge(oracle, data, size, oracle->last == LAST_COMPLETE);
		return;
	}
	/* Too long is said before the end is known. */
	while (size > oracle->limit && oracle->rule == RULE_SPLIT) {
		emit(oracle, data, oracle->limit, false);
		data += oracle->limit;
		size -= oracle->limit;
	}
	oracle->truncated += cut;
	oracle->dropped++;
}

static void consult(struct oracle *oracle, const char *data, size_t size)
{
	size_t start = 0;
	for (size_t at = 0; at + oracle->delimiter_size <= size;) {
		if (memcmp(data + at, oracle->delimiter, oracle->delimiter_size) != 0) {
			at++;
			continue;
		}
		judge(oracle, data + start, at - start, true);
		at += oracle->delimiter_size;
		start = at;
	}
	judge_last(oracle, data + start, size - start);
}

static const struct {
	const char *json, *bytes;
	size_t size;
} delimiters[] = {
	{ "\"on\":\"newline\"", "\n", 1 },
	{ "\"on\":\"nul\"", "\0", 1 },
	{ "\"on\":\"delimiter\",\"delimiter\":\"\\r\\n\"", "\r\n", 2 },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aa\"", "aa", 2 },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aba\"", "aba", 3 },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aab\"", "aab", 3 },
	{ "\"on\":\"delimiter\",\"delimiter\":{\"hex\":\"6161626161\"}", "aabaa", 5 },
};

static const char *const rules[] = { "truncate", "drop", "split" };
static const char *const lasts[] = { "keep", "complete", "drop" };
static const char *const buffers[] = { "16B", "17B", "64B", "1KiB", "64KiB" };

static char *random_text(uint64_t *random, size_t size)
{
	static const char alphabet[] = { 'a', 'a', 'b', 'b', 'x', '\n', '\r', '\0' };
	char *text = malloc(size + 1);
	cr_assert(text);
	for (size_t i = 0; i < size; i++)
		text[i] = alphabet[random_below(random, sizeof(alphabet))];
	return text;
}

static void compare(const struct bench *bench, const struct oracle *oracle, const char *case_)
{
	const struct node_report *split = bench_report(bench, "bench.split");
	cr_assert_eq(bench->out_size[0], oracle->out.size, "%s: %zu bytes, %zu expected", case_,
		bench->out_size[0], oracle->out.size);
	cr_assert(oracle->out.size == 0 ||
			  memcmp(bench->out[0], oracle->out.data, oracle->out.size) == 0,
		"%s", case_);
	cr_assert_eq(split->records_out, oracle->records, "%s: %llu records, not %u", case_,
		(unsigned long long)split->records_out, oracle->records);
	cr_assert_eq(
		split->account.dropped[DROP_TOO_LONG] + split->account.dropped[DROP_INCOMPLETE],
		oracle->dropped, "%s: dropped", case_);
	cr_assert_eq(split->account.truncated, oracle->truncated, "%s: truncated", case_);
	cr_assert(bench_balances(bench), "%s", case_);
}

static void try_one(uint64_t *random)
{
	size_t kind = random_below(random, sizeof(delimiters) / sizeof(*delimiters));
	unsigned rule = (unsigned)random_below(random, 3), last = (unsigned)random_below(random, 3);
	uint64_t limit = 1 + random_below(random, 40);
	size_t size = random_below(random, 700);
	char *text = random_text(random, size), stages[256], case_[512];
	snprintf(stages, sizeof(stages),
		"[{\"split\":{%s,\"max_record\":\"%lluB\",\"too_long\":\"%s\",\"unterminated\":\"%"
		"s\"}}]",
		delimiters[kind].json, (unsigned long long)limit, rules[rule], lasts[last]);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = stages,
		.memory = "4MiB",
		.buffer = buffers[random_below(random, 5)],
		.segments = &segment,
		.segment_count = 1,
		.chunk = random_below(random, 3) ? 0 : 1,
		.seed = (unsigned)random_next(random) };
	snprintf(case_, sizeof(case_), "%s, buffer %s, chunk %zu, %zu bytes", stages, bench.buffer,
		bench.chunk, size);
	struct oracle oracle = { .delimiter = delimiters[kind].bytes,
		.delimiter_size = delimiters[kind].size,
		.limit = limit,
		.rule = rule,
		.last = last };
	consult(&oracle, text, size);
	bench_run(&bench);
	compare(&bench, &oracle, case_);
	cr_assert_eq(bench.copied, 0, "%s: one stream needs no copy", case_);
	bench_free(&bench);
	free(oracle.out.data);
	free(text);
}

Test(split, equals_the_oracle)
{
	chance_begin();
	uint64_t random = chance_seed();
	for (int i = 0; i < 1500; i++)
		try_one(&random);
}
