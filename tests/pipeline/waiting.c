/* Waiting: since when sinks are down is known of pipelines that never rest, too. */

#include "tests/support/running.h"

#include <criterion/criterion.h>

static bool is_told_down(void *context)
{
	struct node_report report;

	report_node(context, &report);
	return report.down > 0;
}

/* Somebody is always at it: the generator never ends, and the live sink takes all. */
static void a_dead_sink_is_told_under_load(struct running *running)
{
	cr_assert(running_open(running, "",
		"'p':{'from':{'generate':{}},'stages':['split'],'to':['null',"
		"{'unix':{'connect':'nobody'},'when_full':'drop'}]}"));
	struct node *dead = running_node(running, "p.to.1"),
		    *live = running_node(running, "p.to.0");
	running_until(running, is_told_down, dead);
	cr_assert_not(dead->up);
	cr_assert_eq(live->down_since, 0);
	uint64_t since = dead->down_since, taken = live->in->taken.bytes;
	running_settle(running);
	cr_assert_eq(dead->down_since, since, "it counts from the first time");
	cr_assert_gt(live->in->taken.bytes, taken);
	cr_assert(engine_close(running->engine));
	running_close(running);
}

Test(waiting, a_dead_sink_is_told_under_load)
{
	running_on_both(a_dead_sink_is_told_under_load);
}
