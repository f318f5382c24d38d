/* Workers: the threads that run the pipelines. The first is the thread that calls; the others have loops and engines of
 * their own, and are told what to do by flags and a wake-up. Nothing of a pipeline is shared between them; what they
 * counted they copy for whoever asks, and it is read as it is when they have ended.
 */
#pragma once

#include "daemon/counters.h"
#include "daemon/log.h"
#include "daemon/orders.h"
#include "daemon/taps.h"
#include "pipeline/engine.h"

#include <stdatomic.h>
#include <uv.h>

struct worker;

struct workers {
	struct plan *plan;
	struct log *log;
	struct counters counters;
	struct taps taps;
	struct worker *items; /* the others: plan->workers − 1 */
	uint32_t count;       /* of them, those that were started */
	struct loop *loop;    /* of the first */
	struct engine *engine;
	struct order *orders; /* the first worker's, that wait */
	uv_async_t bell;      /* rung by a worker that has something to tell */
	bool bell_open, ending;
	atomic_bool end_wanted; /* by a node of another worker */
};

/* Makes an engine on `loop` and starts the other threads; opens what the pipelines name, one worker after the other.
 * False with faults. workers_close() may follow in either case. */
bool workers_open(struct workers *workers, struct plan *plan, struct loop *loop, struct log *log,
	struct faults *faults);

/* One turn of the first worker; waits at most `timeout_ms`. Where a node of any worker wants the run to end, all drain. */
void workers_turn(struct workers *workers, int timeout_ms);

/* True when every pipeline has finished. */
bool workers_finished(const struct workers *workers);

/* True if every other worker has turned, or ended, since this was asked last; asks each to turn once more. */
bool workers_turned(struct workers *workers);

/* As engine_drain() and engine_reopen(), for all. */
void workers_drain(struct workers *workers, uint64_t read_deadline);
void workers_reopen(struct workers *workers);

/* Counts for another plan from now on. False if somebody still looks at a snapshot of the one before: try again later. */
bool workers_follow(struct workers *workers, struct plan *plan);

/* On any thread, between workers_open() and workers_stop(): a copy of what all have counted; waits at most `patience_ms`
 * for it. False without memory. */
bool workers_ask(struct workers *workers, uint64_t patience_ms, struct snapshot *snapshot);

/* On any thread, as workers_ask(): opens a tap, once the workers have been woken to attach it. NULL: as taps_begin(). */
struct tapping *workers_tap(
	struct workers *workers, const struct tapping_wish *wish, const char **why);
void workers_untap(struct workers *workers, struct tapping *tapping);

/* Gives an order to a worker; it lies with the caller until it is done. On the first thread. */
void workers_order(struct workers *workers, uint32_t worker, struct order *order);

/* The worker with the fewest pipelines of the plan. */
uint32_t workers_idlest(const struct workers *workers, const struct plan *plan);

/* On any thread: lets workers_turn() return. */
void workers_ring(struct workers *workers);

/* Ends all, finished or not, and waits for them: then their accounts can be read. False if the kernel still holds memory
 * of theirs; then only the end of the process frees it. */
bool workers_stop(struct workers *workers);

/* Gives back what workers_open() made, once workers_stop() was true. */
void workers_close(struct workers *workers);
