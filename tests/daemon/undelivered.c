/* Undelivered: what is counted, and whose it is. */
#include "daemon/undelivered.h"

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <string.h>

/* What is written is in the file before the sink is told of it. */
static bool is_written(void *context)
{
	const struct node *sink = context;

	return sink->in->taken.records == 3;
}

/* Nobody listens at the first; the second writes; the third drops what it cannot write. */
static void name_the_sink(struct running *running)
{
	struct undelivered left = { 0 };

	file_put("in", "%s", "one\ntwo\nthree\n");
	cr_assert(running_open(running, "",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ 'split' "
		"], "
		"'to': [ { 'unix': 'nobody' }, { 'file': 'out' }, "
		"{ 'unix': 'nobody either', 'when_full': 'drop' } ] }"));
	running_until(running, is_written, running_node(running, "p.to.1"));
	undelivered_add(&left, running->plan->pipelines[0]);
	cr_assert_eq(left.records, 3);
	cr_assert_str_eq(left.sinks, "p.to.0");
	cr_assert(undelivered_any(&left));
	/* Closed it is the same. */
	cr_assert(engine_close(running->engine));
	left = (struct undelivered){ 0 };
	undelivered_add(&left, running->plan->pipelines[0]);
	cr_assert_eq(left.records, 3);
	cr_assert_str_eq(left.sinks, "p.to.0");
	running_close(running);
}

Test(undelivered, counts_what_sinks_have_not_written_and_names_them)
{
	running_on_both(name_the_sink);
}

static void count_nothing(struct running *running)
{
	struct undelivered left = { 0 };

	file_put("in", "%s", "one\n");
	cr_assert(running_open(running, "",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ 'split' "
		"], "
		"'to': { 'file': 'out' } }"));
	running_to_end(running);
	undelivered_add(&left, running->plan->pipelines[0]);
	cr_assert_not(undelivered_any(&left));
	cr_assert_str_eq(left.sinks, "");
	running_close(running);
}

Test(undelivered, names_nobody_where_all_is_written)
{
	running_on_both(count_nothing);
}

static void count_bytes(struct running *running)
{
	struct undelivered left = { 0 };

	file_put("in", "%s", "no records");
	cr_assert(running_open(running, "",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'to': { 'unix': "
		"'nobody' } }"));
	running_settle(running);
	undelivered_add(&left, running->plan->pipelines[0]);
	cr_assert_eq(left.records, 0);
	cr_assert_eq(left.bytes, strlen("no records"));
	cr_assert_str_eq(left.sinks, "p.to.0");
	running_close(running);
}

Test(undelivered, counts_bytes_that_are_no_records)
{
	running_on_both(count_bytes);
}

/* Shards of a pipeline have sinks of the same names; a name may be the end of another one. */
static void name_each_once(struct running *running)
{
	struct undelivered left = { .sinks = "up.to.0" };

	file_put("in", "%s", "one\n");
	cr_assert(running_open(running, "",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ 'split' "
		"], "
		"'to': { 'unix': 'nobody' } }"));
	running_settle(running);
	for (size_t shard = 0; shard < 3; shard++)
		undelivered_add(&left, running->plan->pipelines[0]);
	cr_assert_eq(left.records, 3);
	cr_assert_str_eq(left.sinks, "up.to.0, p.to.0");
	running_close(running);
}

Test(undelivered, names_each_sink_once)
{
	running_on_both(name_each_once);
}
