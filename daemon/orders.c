/* Orders. */
#include "daemon/orders.h"

#include "pipeline/io/loop.h"

enum { STEP_BEGIN, STEP_REST, STEP_END };

static bool finish(struct order *order, bool good)
{
	atomic_store(&order->state, good ? ORDER_DONE : ORDER_FAILED);
	return true;
}

/* As at the end of the process: half of the time is for reading, the other for writing. */
static uint64_t set_deadline(struct order *order, const struct engine *engine)
{
	const uint64_t now = engine_now(engine);

	order->deadline = now + order->patience;
	return now + order->patience / 2;
}

static bool quiet_or_late(const struct order *order, const struct engine *engine)
{
	return engine_is_quiet(order->old) || engine_now(engine) >= order->deadline;
}

static void count_undelivered(struct order *order)
{
	for (size_t i = 0; i < order->old->node_count; i++)
		if (!order->old->nodes[i]->optional)
			order->undelivered += order->old->nodes[i]->account.dropped[DROP_SHUTDOWN];
}

static bool remove_old(struct order *order)
{
	if (!engine_remove(order->old))
		return fault_at(&order->faults, NULL, "restart",
			"%s: something does not come back from the kernel", order->old->name);
	count_undelivered(order);
	return true;
}

static bool step_retire(struct order *order, struct engine *engine)
{
	if (order->step == STEP_BEGIN) {
		engine_retire(order->old, set_deadline(order, engine));
		order->step = STEP_END;
	}
	return quiet_or_late(order, engine) && finish(order, remove_old(order));
}

static bool step_replace(struct order *order, struct engine *engine)
{
	if (order->step == STEP_BEGIN) {
		engine_rest(order->old, order->next, set_deadline(order, engine));
		order->step = STEP_REST;
	}
	if (!quiet_or_late(order, engine))
		return false;
	if (order->step == STEP_REST) {
		if (!engine_hand_over(order->old, order->next, &order->faults))
			return finish(order, false);
		order->step = STEP_END;
		return false;
	}
	return finish(order, remove_old(order) && engine_take_over(order->next, &order->faults));
}

bool order_step(struct order *order, struct engine *engine)
{
	switch (order->kind) {
	case ORDER_ADD:
		return finish(order, engine_add(engine, order->next, &order->faults));
	case ORDER_RETIRE:
		return step_retire(order, engine);
	case ORDER_REPLACE:
		return step_replace(order, engine);
	}
	return true;
}

int order_patience(const struct order *order, const struct engine *engine)
{
	const uint64_t now = engine_now(engine);

	if (order->step == STEP_BEGIN || engine_is_quiet(order->old))
		return 0;
	return order->deadline > now ? (int)(order->deadline - now) : 0;
}
