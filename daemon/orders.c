/* Orders. */
#include "daemon/orders.h"

#include <inttypes.h>
#include <stdio.h>

enum { STEP_BEGIN, STEP_REST, STEP_END };

enum {
	GIVE_BACK_MS = 1000, /* for what is under read when the time is over */
	LEAVE_MS = 1000,     /* for sinks to leave what they have to others */
	TELL_MS = 1000       /* whoever waits for longer, or for half of its time, says for whom */
};

static bool end_as(struct order *order, enum order_state state)
{
	atomic_store(&order->state, state);
	return true;
}

static bool finish(struct order *order, bool good)
{
	return end_as(order, good ? ORDER_DONE : ORDER_FAILED);
}

/* As at the end of the process: half of the time is for reading, the other for writing. */
static uint64_t set_deadline(struct order *order, const struct engine *engine)
{
	const uint64_t now = engine_now(engine);

	order->deadline = now + order->patience;
	order->tell_at = now + (order->patience / 2 < TELL_MS ? order->patience / 2 : TELL_MS);
	return now + order->patience / 2;
}

static bool quiet_or_late(const struct order *order, const struct engine *engine)
{
	return engine_is_quiet(order->old) || engine_now(engine) >= order->deadline;
}

/* Whatever is taken from the pipeline is settled now: nobody looks at it any more. */
static bool remove_old(struct order *order)
{
	if (!engine_remove(order->old, order->next))
		return fault_at(&order->faults, NULL, "restart",
			"%s: something does not come back from the kernel", order->old->name);
	order->removed = true;
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

/* Whatever the sources have read is put, or will be read again. */
static bool holds_still(const struct order *order, const struct engine *engine)
{
	return engine_is_quiet(order->old) || engine_give_back(order->old) ||
	       engine_now(engine) >= order->deadline + GIVE_BACK_MS;
}

/* The time is over: those that nobody inherits hold up the others no longer. */
static bool abandons_sinks(struct order *order, const struct engine *engine)
{
	if (order->abandons || engine_is_quiet(order->old) ||
		!engine_abandon_sinks(order->old, order->next))
		return false;
	order->abandons = true;
	order->deadline = engine_now(engine) + LEAVE_MS;
	return true;
}

/* Nobody waits for sinks that are not there, if others can write what they have. */
static bool step_rest(struct order *order, struct engine *engine)
{
	const bool in_vain = engine_waits_in_vain(order->old, order->next);

	if (!in_vain && !quiet_or_late(order, engine))
		return false;
	if (abandons_sinks(order, engine))
		return false;
	if (!holds_still(order, engine))
		return false;
	order->handed_over = engine_hand_over(order->old, order->next, &order->faults);
	order->step = STEP_END;
	if (!order->handed_over)
		return finish(order, false);
	const uint64_t end = engine_now(engine) + LEAVE_MS;
	if (engine_leaves(order->old) && order->deadline < end)
		order->deadline = end;
	return false;
}

static bool step_replace(struct order *order, struct engine *engine)
{
	if (order->step != STEP_END && engine_ends(order->old))
		return end_as(order, ORDER_ABANDONED);
	if (order->step == STEP_BEGIN) {
		engine_rest(order->old, order->next, set_deadline(order, engine));
		order->step = STEP_REST;
	}
	if (order->step == STEP_REST)
		return step_rest(order, engine);
	if (!quiet_or_late(order, engine))
		return false;
	return finish(order, remove_old(order) && engine_take_over(order->next, &order->faults));
}

bool order_step(struct order *order, struct engine *engine)
{
	switch (order->kind) {
	case ORDER_ADD:
		if (engine_drains(engine))
			return end_as(order, ORDER_ABANDONED);
		return finish(order, engine_add(engine, order->next, &order->faults));
	case ORDER_RETIRE:
		return step_retire(order, engine);
	case ORDER_REPLACE:
		return step_replace(order, engine);
	}
	return true;
}

bool order_tell(struct order *order, struct engine *engine)
{
	const uint64_t now = engine_now(engine);
	char text[256];

	if (order->step == STEP_BEGIN || order->tell_at == 0 || now < order->tell_at)
		return false;
	order->tell_at = 0;
	if (!engine_waits_for(order->old, order->waits_for, sizeof(order->waits_for)))
		return false;
	snprintf(text, sizeof(text),
		"the reload waits for %s to write what was read, for %" PRIu64 " ms at most",
		order->waits_for, order->deadline > now ? order->deadline - now : 0);
	engine_say(engine, LOG_LEVEL_WARNING, order->old->name, NULL, text);
	atomic_store(&order->waits_long, true);
	return true;
}

int order_patience(const struct order *order, const struct engine *engine)
{
	const uint64_t now = engine_now(engine);

	if (order->step == STEP_BEGIN || engine_is_quiet(order->old))
		return 0;
	uint64_t end = now < order->deadline ? order->deadline : order->deadline + GIVE_BACK_MS;
	if (order->tell_at > 0 && order->tell_at < end)
		end = order->tell_at;
	return end > now ? (int)(end - now) : 0;
}
