/* What a sink has not written goes to its heir, in order, and before all else. */
#include "pipeline/run.h"

#include "tests/support/next.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 20000 };

static void put_lines(void)
{
	FILE *file = fopen("in", "w");

	cr_assert(file);
	for (unsigned i = 0; i < LINES; i++)
		fprintf(file, "line %u %0*u\n", i, (int)(100 + i * 7 % 300), 0);
	fclose(file);
}

static void assert_same_file(const char *a, const char *b)
{
	size_t size, other;
	char *first = file_get(a, &size), *second = file_get(b, &other);

	cr_assert_eq(size, other, "%zu and %zu bytes", size, other);
	cr_assert_eq(memcmp(first, second, size), 0);
	free(first);
	free(second);
}

#define SERVICE "'memory': '8MiB', 'buffer': '4KiB'"
#define FROM                                                                                       \
	"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ { 'split': { "  \
	"'max_record': '1KiB' } }, { 'filter': { 'not': { 'contains': '%s' } } } ], 'to': %s }"

static struct pipeline *open_stuck(struct running *running, const char *sink)
{
	put_lines();
	cr_assert(running_open(running, SERVICE, FROM, "never", sink), "%s",
		running->faults.count ? running->faults.items[0].message : "");
	running_settle(running);
	return running->plan->pipelines[0];
}

static struct pipeline *read_sink(struct next *next, const char *filter, const char *sink)
{
	char text[600];

	snprintf(text, sizeof(text), FROM, filter, sink);
	return next_read(next, SERVICE, text);
}

static bool is_quiet(void *context)
{
	return engine_is_quiet(context);
}

/* Late: the old one's sink does not get rid of what it has. */
static void replace(struct running *running, struct pipeline *old, struct pipeline *next)
{
	engine_rest(old, next, 0);
	running_settle(running);
	cr_assert_not(engine_is_quiet(old));
	cr_assert(engine_waits_in_vain(old, next));
	while (!engine_give_back(old))
		engine_turn(running->engine, 10);
	cr_assert(engine_hand_over(old, next, &running->faults));
	cr_assert(engine_leaves(old));
	running_until(running, is_quiet, old);
	cr_assert(engine_remove(old, next));
	cr_assert_eq(pipeline_undelivered(old), 0, "%lu are lost", pipeline_undelivered(old));
	old->node_count = old->edge_count = 0;
	cr_assert(engine_take_over(next, &running->faults));
}

static uint64_t in_and_out(const struct pipeline *pipeline, const char *name)
{
	struct node_report report;

	for (size_t i = 0; i < pipeline->node_count; i++)
		if (strcmp(pipeline->nodes[i]->name, name) == 0) {
			report_node(pipeline->nodes[i], &report);
			cr_assert_eq(
				report.records_in, report.records_out + report.held +
							   report.account.dropped[DROP_SHUTDOWN]);
			return report.records_in;
		}
	cr_assert(false, "no %s", name);
	return 0;
}

static void by_name(struct running *running)
{
	struct next next;

	struct pipeline *old = open_stuck(running, "{ 'tcp': '127.0.0.1:1' }");
	struct pipeline *fresh = read_sink(&next, "never", "{ 'file': 'out' }");
	replace(running, old, fresh);
	running_to_end(running);
	assert_same_file("in", "out");
	cr_assert_eq(in_and_out(fresh, "p.to.0"), LINES);
	next_close_all(running, &next, 1);
}

Test(leaving, goes_to_the_sink_of_the_same_name, .timeout = 60)
{
	running_on_both(by_name);
}

/* Twice without a chance to write, then once more with: nothing is lost, doubled, or out of order. */
static void again_and_again(struct running *running)
{
	struct next nexts[3];

	struct pipeline *at = open_stuck(running, "{ 'unix': 'sock' }");
	for (size_t i = 0; i < 2; i++) {
		struct pipeline *next =
			read_sink(&nexts[i], i ? "no" : "nothing", "{ 'unix': 'sock' }");
		replace(running, at, next);
		running_settle(running);
		cr_assert_gt(in_and_out(next, "p.to.0"), 0);
		at = next;
	}
	struct pipeline *last = read_sink(&nexts[2], "never", "{ 'file': 'out' }");
	replace(running, at, last);
	running_to_end(running);
	assert_same_file("in", "out");
	cr_assert_eq(in_and_out(last, "p.to.0"), LINES);
	next_close_all(running, nexts, 3);
}

Test(leaving, goes_on_and_on, .timeout = 60)
{
	running_on_both(again_and_again);
}

/* The options decide, then the name. */
static void by_options(struct running *running)
{
	struct next next;

	struct pipeline *old = open_stuck(running, "{ 'unix': 'sock' }");
	struct pipeline *fresh =
		read_sink(&next, "never", "[ { 'file': 'out' }, { 'unix': 'sock' } ]");
	replace(running, old, fresh);
	cr_assert_eq(leaving_records(fresh->nodes[fresh->node_count - 2]), 0);
	cr_assert_gt(leaving_records(fresh->nodes[fresh->node_count - 1]), 0);
	next_close_all(running, &next, 1);
}

Test(leaving, goes_to_the_sink_with_the_same_options_first, .timeout = 60)
{
	running_on_both(by_options);
}

/* Other records than the new sink's, a drop branch, no namesake. */
static void nobody(struct running *running)
{
	static const char *const others[] = {
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ { "
		"'split': { 'on': 'nul', 'max_record': '1KiB' } } ], 'to': { 'unix': 'sock' } }",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ { "
		"'split': { 'max_record': '1KiB' } } ], 'to': [ { 'unix': 'sock', 'when_full': "
		"'drop' }, 'null' ] }",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ { "
		"'split': { 'max_record': '1KiB' } } ], 'to': { 'name': 'other', 'unix': 'else' } "
		"}",
	};
	struct next next;

	struct pipeline *old = open_stuck(running, "{ 'unix': 'sock' }");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct pipeline *fresh = next_read(&next, SERVICE, others[i]);
		engine_rest(old, fresh, 0);
		running_settle(running);
		cr_assert_not(engine_waits_in_vain(old, fresh), "%zu", i);
		plan_destroy(next.plan);
		document_close(&next.document);
		faults_close(&next.faults);
	}
	cr_assert(engine_close(running->engine));
	running_close(running);
}

Test(leaving, has_no_heir_where_records_or_places_are_others, .timeout = 60)
{
	running_on_both(nobody);
}

/* The end comes before it is written: it is counted, once. */
static void cut_short(struct running *running)
{
	struct next next;

	struct pipeline *old = open_stuck(running, "{ 'unix': 'sock' }");
	struct pipeline *fresh = read_sink(&next, "nothing", "{ 'unix': 'sock' }");
	struct node *sink = fresh->nodes[fresh->node_count - 1];
	replace(running, old, fresh);
	const uint64_t left = pipeline_undelivered(fresh);
	cr_assert_gt(leaving_records(sink), 0);
	cr_assert_geq(left, leaving_records(sink));
	cr_assert(engine_close(running->engine));
	cr_assert_null(sink->inherited);
	cr_assert_eq(pipeline_undelivered(fresh), left);
	cr_assert_eq(sink->account.dropped[DROP_SHUTDOWN], left);
	next_close_all(running, &next, 1);
}

Test(leaving, is_counted_where_it_is_not_written_after_all, .timeout = 60)
{
	running_on_both(cut_short);
}

/* The first pipeline's successor cannot be opened; what it inherited goes back. */
static void put_back(struct running *running)
{
	struct next nexts[2];

	struct pipeline *old = open_stuck(running, "{ 'name': 'relay', 'unix': 'sock' }");
	struct pipeline *bad = read_sink(&nexts[0], "never",
		"[ { 'name': 'relay', 'unix': 'sock' }, { 'file': '/dev/null/x' } ]");
	engine_rest(old, bad, 0);
	running_settle(running);
	while (!engine_give_back(old))
		engine_turn(running->engine, 10);
	cr_assert(engine_hand_over(old, bad, &running->faults));
	running_until(running, is_quiet, old);
	cr_assert(engine_remove(old, bad));
	old->node_count = old->edge_count = 0;
	cr_assert_not(engine_take_over(bad, &running->faults));
	struct pipeline *again =
		read_sink(&nexts[1], "never", "{ 'name': 'relay', 'file': 'out' }");
	engine_rest(bad, again, 0);
	cr_assert(engine_hand_over(bad, again, &running->faults));
	cr_assert(engine_remove(bad, again));
	bad->node_count = bad->edge_count = 0;
	cr_assert(engine_take_over(again, &running->faults));
	running_to_end(running);
	assert_same_file("in", "out");
	next_close_all(running, nexts, 2);
}

Test(leaving, comes_back_where_the_heir_cannot_be_opened, .timeout = 60)
{
	running_on_both(put_back);
}
