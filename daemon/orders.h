/* Orders: what a worker is told to change about its pipelines while it runs. Carried out step by step between its turns,
 * so that the other pipelines of the worker go on meanwhile. */
#pragma once

#include "pipeline/engine.h"

#include <stdatomic.h>

enum order_kind { ORDER_ADD, ORDER_RETIRE, ORDER_REPLACE };

/* ABANDONED: all of them end before it had begun; nothing was done. */
enum order_state { ORDER_WAITS, ORDER_DONE, ORDER_FAILED, ORDER_ABANDONED };

struct order {
	enum order_kind kind;
	struct pipeline *old, *next; /* ADD has no old, RETIRE no next */
	bool given;                  /* the owner's: to a worker */
	uint64_t patience;           /* ms for what was read to be written */

	/* The worker's, until the state is no longer WAITS. */
	unsigned step;
	uint64_t deadline, tell_at;
	bool abandons;          /* sinks of `old` that nobody inherits */
	bool handed_over;       /* `old` has given its sources away */
	bool removed;           /* `old` is closed */
	char waits_for[160];    /* the sinks that have not written what was read */
	atomic_bool waits_long; /* and are named by now */
	struct faults faults;
	_Atomic enum order_state state;
	struct order *following; /* in the worker's list */
};

/* Goes on with an order of this engine's. True when it is no longer waiting. */
bool order_step(struct order *order, struct engine *engine);

/* Says, once, for whom it waits if that takes long. True if it has just done so. */
bool order_tell(struct order *order, struct engine *engine);

/* Milliseconds after which it is worth another step though nothing has moved; −1: none. */
int order_patience(const struct order *order, const struct engine *engine);
