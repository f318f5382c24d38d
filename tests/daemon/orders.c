/* Orders: carried out between turns, told about, and abandoned where all ends. */
#include "daemon/orders.h"

#include "tests/support/next.h"

#include <criterion/criterion.h>

struct stepping {
	struct order *order;
	struct engine *engine;
};

static bool is_answered(void *context)
{
	const struct stepping *stepping = context;

	return order_step(stepping->order, stepping->engine);
}

static void carry_out(struct running *running, struct order *order)
{
	struct stepping stepping = { order, running->engine };

	running_until(running, is_answered, &stepping);
	cr_assert_neq(atomic_load(&order->state), ORDER_WAITS);
	if (order->removed)
		order->old->node_count = order->old->edge_count = 0;
}

#define FOLLOW "'from': { 'file': 'in' }, 'stages': [ 'split' ]"

static void open_one(struct running *running, const char *sink)
{
	file_put("in", "%s", "one\n");
	cr_assert(running_open(running, "", "'p': { " FOLLOW ", 'to': %s }", sink));
}

static void add_and_retire(struct running *running)
{
	struct next next;

	open_one(running, "{ 'file': 'out' }");
	struct order add = { .kind = ORDER_ADD,
		.next = next_read(&next, "", "'q': { " FOLLOW ", 'to': { 'file': 'copy' } }") };
	carry_out(running, &add);
	cr_assert_eq(atomic_load(&add.state), ORDER_DONE);
	running_until_file(running, "copy", "one\n");
	struct order retire = { .kind = ORDER_RETIRE, .old = add.next, .patience = 60000 };
	carry_out(running, &retire);
	cr_assert_eq(atomic_load(&retire.state), ORDER_DONE);
	cr_assert(retire.removed);
	running_until_file(running, "out", "one\n");
	next_close_all(running, &next, 1);
}

Test(orders, add_and_retire, .timeout = 60)
{
	running_on_both(add_and_retire);
}

static void replace(struct running *running)
{
	struct next next;

	open_one(running, "{ 'file': 'out' }");
	running_until_file(running, "out", "one\n");
	struct order order = { .kind = ORDER_REPLACE,
		.old = running->plan->pipelines[0],
		.next = next_read(&next, "", "'p': { " FOLLOW ", 'to': { 'file': 'other' } }"),
		.patience = 60000 };
	carry_out(running, &order);
	cr_assert_eq(atomic_load(&order.state), ORDER_DONE);
	cr_assert(order.handed_over && order.removed);
	cr_assert_not(order_tell(&order, running->engine), "it waited for nobody");
	file_add("in", "%s", "two\n");
	running_until_file(running, "other", "two\n");
	next_close_all(running, &next, 1);
}

Test(orders, replace, .timeout = 60)
{
	running_on_both(replace);
}

static void fail(struct running *running)
{
	struct next next;

	open_one(running, "{ 'file': 'out' }");
	struct order add = { .kind = ORDER_ADD,
		.next = next_read(
			&next, "", "'q': { " FOLLOW ", 'to': { 'file': '/dev/null/copy' } }") };
	carry_out(running, &add);
	cr_assert_eq(atomic_load(&add.state), ORDER_FAILED);
	cr_assert_eq(add.faults.count, 1);
	faults_close(&add.faults);
	add.next->node_count = 0;
	next_close_all(running, &next, 1);
}

Test(orders, that_fail_say_why, .timeout = 60)
{
	running_on_both(fail);
}

/* Nothing of an order is done any more once all drain, unless it is too late to stop. */
static void abandon(struct running *running)
{
	struct next next;

	open_one(running, "{ 'unix': 'nobody' }");
	running_settle(running);
	struct pipeline *coming =
		next_read(&next, "", "'p': { " FOLLOW ", 'to': { 'file': 'out' } }");
	struct order begun = { .kind = ORDER_REPLACE,
		.old = running->plan->pipelines[0],
		.next = coming,
		.patience = 60000 };
	struct order fresh = { .kind = ORDER_ADD, .next = coming };
	engine_drain(running->engine, engine_now(running->engine));
	cr_assert(order_step(&begun, running->engine));
	cr_assert_eq(atomic_load(&begun.state), ORDER_ABANDONED);
	cr_assert_not(begun.handed_over || begun.removed);
	cr_assert(order_step(&fresh, running->engine));
	cr_assert_eq(atomic_load(&fresh.state), ORDER_ABANDONED);
	cr_assert_null(coming->run);
	cr_assert_eq(running->plan->pipelines[0]->nodes[2]->in->count, 1, "it was let go");
	next_close_all(running, &next, 1);
}

Test(orders, are_abandoned_where_all_ends, .timeout = 60)
{
	running_on_both(abandon);
}

static bool is_told(void *context)
{
	const struct stepping *stepping = context;

	cr_assert_not(order_step(stepping->order, stepping->engine));
	return order_tell(stepping->order, stepping->engine);
}

/* There is nobody in the next one who could write what the sink has. */
static void tell(struct running *running)
{
	struct next next;

	open_one(running, "{ 'name': 'relay', 'unix': 'nobody' }");
	running_settle(running);
	struct order order = { .kind = ORDER_REPLACE,
		.old = running->plan->pipelines[0],
		.next = next_read(&next, "", "'p': { " FOLLOW ", 'to': { 'file': 'out' } }"),
		.patience = 60000 };
	struct stepping stepping = { &order, running->engine };
	running_until(running, is_told, &stepping);
	cr_assert(atomic_load(&order.waits_long));
	cr_assert_str_eq(order.waits_for, "p.to.relay");
	running_until_log(
		running, "warning the reload waits for p.to.relay to write what was read");
	cr_assert_not(order_tell(&order, running->engine), "it is said twice");
	cr_assert_gt(order_patience(&order, running->engine), 0);
	next_close_all(running, &next, 1);
}

Test(orders, say_for_whom_they_wait, .timeout = 60)
{
	running_on_both(tell);
}
