/* Pipelines that come, go and take each other's place on a running engine, step by step. */
#include "pipeline/run.h"

#include "tests/support/next.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct pipeline *read_next(struct next *next, const char *pipelines)
{
	return next_read(next, "'admin':false", pipelines);
}

static bool is_quiet(void *context)
{
	return engine_is_quiet(context);
}

static void hand_over(struct running *running, struct pipeline *old, struct pipeline *next)
{
	engine_rest(old, next, 0);
	running_until(running, is_quiet, old);
	cr_assert_not(engine_runs(old));
	cr_assert(engine_hand_over(old, next, &running->faults));
	cr_assert_not(engine_counts(old));
}

static void replace(struct running *running, struct pipeline *old, struct pipeline *next)
{
	hand_over(running, old, next);
	running_until(running, is_quiet, old);
	cr_assert(engine_remove(old, next));
	cr_assert_null(old->run);
	old->node_count = old->edge_count = 0; /* as generations do */
	cr_assert(engine_take_over(next, &running->faults), "%s",
		running->faults.count ? running->faults.items[0].message : "");
	cr_assert(engine_runs(next));
}

#define LISTEN "'from': { 'unix': { 'listen': 'in' } }"

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "in" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* --- replacing ----------------------------------------------------------------------------------------------------- */

static void go_on(struct running *running)
{
	struct next next;
	struct node_report report;

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': 'out' } }"));
	struct pipeline *old = running->plan->pipelines[0];
	struct node *source = old->nodes[0];
	int one = dial(), two = dial();
	say(one, "one\nth");
	say(two, "two\n");
	running_until_file(running, "out", "one\ntwo\n");

	struct pipeline *fresh = read_next(&next,
		"'p': { " LISTEN
		", 'stages': [ 'split', { 'filter': { 'not': { 'contains': 'x' } } } ], "
		"'to': { 'file': 'out' } }");
	replace(running, old, fresh);
	cr_assert_eq(fresh->nodes[0], source, "the source is another one");
	say(one, "ree\nx\n");
	say(two, "four\n");
	running_until_file(running, "out", "one\ntwo\nthree\nfour\n");
	report_node(fresh->nodes[fresh->node_count - 1], &report);
	cr_assert_eq(report.records_in, 4, "it does not count on: %lu", report.records_in);
	report_node(source, &report);
	cr_assert_eq(report.bytes_in, strlen("one\nthtwo\nree\nx\nfour\n"));
	close(one);
	close(two);
	next_close_all(running, &next, 1);
}

Test(change, a_source_goes_on_with_its_connections_and_what_is_unfinished, .timeout = 60)
{
	running_on_both(go_on);
}

static void end_one(struct running *running)
{
	struct next next;
	char byte;

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': 'out' } }"));
	struct pipeline *old = running->plan->pipelines[0];
	int one = dial();
	say(one, "one\n");
	running_until_file(running, "out", "one\n");
	struct pipeline *fresh = read_next(&next,
		"'p': { 'from': { 'unix': { 'listen': 'in', 'max_connections': 7 } }, "
		"'stages': [ 'split' ], 'to': { 'file': 'out' } }");
	cr_assert_eq(change_match(old, 0, fresh), SIZE_MAX);
	replace(running, old, fresh);
	cr_assert_eq(read(one, &byte, 1), 0, "the connection goes on");
	close(one);
	one = dial();
	say(one, "two\n");
	running_until_file(running, "out", "one\ntwo\n");
	close(one);
	next_close_all(running, &next, 1);
}

Test(change, a_source_that_differs_ends_and_another_opens, .timeout = 60)
{
	running_on_both(end_one);
}

/* --- which sources match ------------------------------------------------------------------------------------------- */

static void match(struct running *running)
{
	struct next next;
	struct pipeline *old, *fresh;

	file_put("a", "%s", "");
	file_put("b", "%s", "");
	cr_assert(running_open(running, "",
		"'p': { 'from': [ 'generate', { 'file': 'a' }, { 'generate': {} }, { 'file': 'b' } "
		"], "
		"'stages': [ 'split' ], 'to': 'null' }"));
	old = running->plan->pipelines[0];
	fresh = read_next(&next,
		"'p': { 'from': [ { 'file': 'b' }, 'generate', 'generate', { 'file': 'c' } ], "
		"'stages': [ 'split' ], 'to': 'null' }");
	size_t at[4], found = 0;
	for (size_t i = 0; i < old->node_count && found < 4; i++)
		if (old->nodes[i]->role == NODE_SOURCE)
			at[found++] = i;
	cr_assert_eq(change_match(old, at[1], fresh), SIZE_MAX, "a is not there any more");
	cr_assert_str_eq(fresh->nodes[change_match(old, at[3], fresh)]->name, "p.from.0");
	cr_assert_str_eq(fresh->nodes[change_match(old, at[0], fresh)]->name, "p.from.1");
	cr_assert_str_eq(fresh->nodes[change_match(old, at[2], fresh)]->name, "p.from.2");
	next_close_all(running, &next, 1);
}

Test(change, sources_match_by_what_they_say_and_in_order, .timeout = 60)
{
	running_on_both(match);
}

static void no_match(struct running *running)
{
	struct next next;

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ { 'decompress': 'gzip' }, 'split' ], 'to': 'null' "
		"}"));
	struct pipeline *old = running->plan->pipelines[0];
	struct pipeline *fresh = read_next(&next,
		"'p': { " LISTEN ", 'stages': [ { 'decompress': 'gzip' }, 'split' ], 'to': "
		"'stdout' }");
	cr_assert_eq(change_match(old, 0, fresh), SIZE_MAX);
	next_close_all(running, &next, 1);
}

Test(change, a_source_whose_streams_are_decompressed_does_not_go_on, .timeout = 60)
{
	running_on_both(no_match);
}

/* --- late ---------------------------------------------------------------------------------------------------------- */

/* A sink that nobody listens to, and that has no heir: nothing becomes quiet. What lies in front of the split must go on all the same. */
static void give_up(struct running *running)
{
	struct next next;

	cr_assert(running_open(running, "'memory': '8MiB', 'buffer': '4KiB'",
			  "'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, "
			  "'stages': [ { 'split': { 'max_record': '1KiB' } } ], "
			  "'to': { 'name': 'relay', 'tcp': '127.0.0.1:1' } }"),
		"%s", running->faults.count ? running->faults.items[0].message : "");
	struct pipeline *old = running->plan->pipelines[0];
	struct node *source = old->nodes[0];
	running_settle(running);
	struct pipeline *fresh = read_next(&next,
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, "
		"'stages': [ { 'split': { 'max_record': '1KiB' } } ], 'to': { 'file': 'out' } }");
	engine_rest(old, fresh, 0);
	running_settle(running);
	cr_assert_not(engine_is_quiet(old));
	while (!engine_give_back(old))
		engine_turn(running->engine, 10);
	cr_assert(engine_hand_over(old, fresh, &running->faults));
	cr_assert(engine_remove(old, fresh));
	const uint64_t lost = old->nodes[old->node_count - 1]->account.dropped[DROP_SHUTDOWN];
	cr_assert_gt(lost, 0);
	old->node_count = old->edge_count = 0;
	cr_assert(engine_take_over(fresh, &running->faults));
	cr_assert_eq(fresh->nodes[0], source);
	running_to_end(running);
	size_t size;
	char *out = file_get("out", &size), *end = out;
	unsigned number, expected = 20000;
	uint64_t lines = 0;
	for (char *at = out; at < out + size; at = end + 1, lines++) {
		end = memchr(at, '\n', size - (size_t)(at - out));
		cr_assert(end && sscanf(at, "line %u ", &number) == 1, "a record that never was");
		cr_assert(lines == 0 || number == expected, "%u, not %u", number, expected);
		expected = number + 1;
	}
	cr_assert_eq(lines + lost, 20000, "%lu and %lu", lines, lost);
	cr_assert_eq(expected, 20000);
	free(out);
	next_close_all(running, &next, 1);
}

static void give_up_with_file(struct running *running)
{
	FILE *file = fopen("in", "w");

	cr_assert(file);
	for (unsigned i = 0; i < 20000; i++)
		fprintf(file, "line %u %0*u\n", i, (int)(100 + i * 7 % 300), 0);
	fclose(file);
	give_up(running);
}

Test(change, what_lies_in_front_of_a_stuck_pipeline_goes_on, .timeout = 60)
{
	running_on_both(give_up_with_file);
}

/* --- failing ------------------------------------------------------------------------------------------------------- */

static void put_back(struct running *running)
{
	struct next nexts[2];

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': 'out' } }"));
	struct pipeline *old = running->plan->pipelines[0];
	int one = dial();
	say(one, "one\nt");
	running_until_file(running, "out", "one\n");
	struct pipeline *bad = read_next(&nexts[0],
		"'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': '/dev/null/x' } }");
	hand_over(running, old, bad);
	running_until(running, is_quiet, old);
	cr_assert(engine_remove(old, bad));
	old->node_count = old->edge_count = 0;
	cr_assert_not(engine_take_over(bad, &running->faults));
	cr_assert_not(engine_runs(bad));
	cr_assert_not(engine_finished(running->engine), "what failed counts as finished");
	say(one, "wo\n");
	running_settle(running);
	struct pipeline *again = read_next(
		&nexts[1], "'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': 'out' } }");
	replace(running, bad, again);
	running_until_file(running, "out", "one\ntwo\n");
	close(one);
	next_close_all(running, nexts, 2);
}

Test(change, what_failed_to_open_is_handed_over_from_again, .timeout = 60)
{
	running_on_both(put_back);
}

/* --- adding and retiring ------------------------------------------------------------------------------------------- */

static void come_and_go(struct running *running)
{
	struct next nexts[2];

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ 'split' ], 'to': { 'file': 'out' } }"));
	file_put("more", "%s", "one\ntwo\n");
	struct pipeline *more = read_next(&nexts[0],
		"'q': { 'from': { 'file': 'more' }, 'stages': [ 'split' ], 'to': { 'file': 'copy' "
		"} }");
	cr_assert(engine_add(running->engine, more, &running->faults));
	running_until_file(running, "copy", "one\ntwo\n");
	struct pipeline *bad =
		read_next(&nexts[1], "'r': { 'from': { 'file': 'more' }, 'stages': [ 'split' ], "
				     "'to': { 'file': '/dev/null/x' } }");
	cr_assert_not(engine_add(running->engine, bad, &running->faults));
	cr_assert_null(bad->run);
	bad->node_count = 0;
	engine_retire(more, engine_now(running->engine));
	running_until(running, is_quiet, more);
	cr_assert(engine_remove(more, NULL));
	more->node_count = 0;
	int one = dial();
	say(one, "still\n");
	running_until_file(running, "out", "still\n");
	close(one);
	next_close_all(running, nexts, 2);
}

Test(change, pipelines_come_and_go, .timeout = 60)
{
	running_on_both(come_and_go);
}

/* --- records that are passed over ---------------------------------------------------------------------------------- */

struct passing_case {
	const char *split, *begin, *go_on, *wanted;
};

static const struct passing_case passing[] = {
	{ "'max_record': '4B', 'too_long': 'drop'", "a\n12345678", "9\nb\n", "a\nb\n" },
	{ "'max_record': '4B', 'too_long': 'truncate'", "a\n12345678", "9\nb\n", "a\n1234\nb\n" },
	{ "'on': 'netstring', 'max_record': '4B'", "1:a,8:12345", "678,1:b,", "1:a,1:b," },
	{ "'on': 'csv', 'max_record': '4B'", "a\n\"123\n45678", "\n9\"\nb\n", "a\nb\n" },
	{ "'on': 'start', 'start': '^-', 'max_record': '4B', 'too_long': 'drop', 'flush_after': "
	  "'1h'",
		"-a\n-b\n1234567\n8", "9\n-c\n-d\n", "-a\n-c\n" },
	{ "'on': 'start', 'start': '^-', 'flush_after': '1h'", "-a\n-b\nb", "b\n-c\n-d\n",
		"-a\n-b\nbb\n-c\n" },
};

static bool has_read(void *context)
{
	const struct node *source = context;

	return source->account.received > 0 && batch_empty(source->out);
}

static void pass_over_one(struct running *running, const struct passing_case *test)
{
	struct next next;
	char *text;

	cr_assert(running_open(running, "",
		"'p': { " LISTEN ", 'stages': [ { 'split': { %s } } ], 'to': { 'file': 'out' } }",
		test->split));
	struct pipeline *old = running->plan->pipelines[0];
	int one = dial();
	say(one, test->begin);
	running_until(running, has_read, old->nodes[0]);
	cr_assert_gt(asprintf(&text,
			     "'p': { " LISTEN ", 'stages': [ { 'split': { %s } } ], "
			     "'to': [ { 'file': 'out' }, 'null' ] }",
			     test->split),
		0);
	replace(running, old, read_next(&next, text));
	free(text);
	say(one, test->go_on);
	running_until_file(running, "out", test->wanted);
	close(one);
	next_close_all(running, &next, 1);
	unlink("out");
	unlink("in");
}

static void pass_over(struct running *running)
{
	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		pass_over_one(running, &passing[i]);
}

Test(change, a_record_that_is_passed_over_is_passed_over_to_its_end, .timeout = 60)
{
	running_on_both(pass_over);
}
