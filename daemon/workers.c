/* Workers. */
#include "daemon/workers.h"

#include "pipeline/io/loop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ORDER_MS = 2 };

struct worker {
	struct workers *workers;
	uint32_t number; /* from 1 */
	uv_thread_t thread;
	uv_sem_t opened; /* posted once it has tried */
	uv_sem_t go;     /* posted once all have opened, or it is to stop */
	struct loop *loop;
	struct engine *engine;
	struct faults faults;
	uv_async_t wake;
	bool started, wake_open, good, stuck;
	struct order *_Atomic given;  /* orders that it has not looked at */
	struct order *orders;         /* those that wait */
	_Atomic uint64_t drain_until; /* 0: no */
	atomic_bool reopen, stop;
	atomic_bool idle; /* all that it runs has finished, and it has no order */
	_Atomic uint64_t turns;
	uint64_t turns_seen; /* by the first worker */
};

/* The thread of a worker. */

static void on_wake(uv_async_t *wake)
{
	(void)wake; /* the loop has turned: that is all */
}

static bool open_worker(struct worker *worker)
{
	struct workers *workers = worker->workers;
	const char *why = NULL;

	worker->loop = loop_create((enum loop_wish)workers->plan->service.io, &why);
	if (!worker->loop)
		return fault_at(&worker->faults, NULL, NULL, "cannot make a loop: %s", why);
	if (uv_async_init(loop_uv(worker->loop), &worker->wake, on_wake) != 0)
		return fault_at(&worker->faults, NULL, NULL, "cannot wake a thread");
	worker->wake_open = true;
	worker->engine = engine_create(
		workers->plan, worker->number, worker->loop, log_engine_event, workers->log);
	if (!worker->engine)
		return fault_at(&worker->faults, NULL, NULL, "not enough memory to start");
	return engine_open(worker->engine, &worker->faults);
}

void workers_ring(struct workers *workers)
{
	uv_async_send(&workers->bell);
}

/* Takes one step with each order, and lets go of those that are done; unless somebody looks at the pipelines. */
static void step_orders(
	struct order **orders, struct engine *engine, uint32_t number, struct workers *workers)
{
	if (!*orders || !counters_lock_plan(&workers->counters))
		return;
	counters_keep(&workers->counters, number, engine);
	while (*orders) {
		struct order *order = *orders, *following = order->following;
		if (!order_step(order, engine)) {
			if (order_tell(order, engine))
				workers_ring(workers);
			orders = &order->following;
			continue;
		}
		*orders = following; /* the order is its owner's again */
		workers_ring(workers);
	}
	counters_unlock_plan(&workers->counters);
}

static int orders_patience(const struct order *orders, const struct engine *engine, int timeout_ms)
{
	for (; orders; orders = orders->following) {
		int patience = order_patience(orders, engine);
		patience = patience == 0 ? ORDER_MS : patience; /* it was not let */
		if (timeout_ms < 0 || patience < timeout_ms)
			timeout_ms = patience;
	}
	return timeout_ms;
}

static void take_orders(struct worker *worker)
{
	struct order *given = atomic_exchange(&worker->given, NULL);

	if (given)
		atomic_store(&worker->idle, false); /* before any of them is done */
	while (given) {
		struct order *order = given;
		given = order->following;
		order->following = worker->orders;
		worker->orders = order;
	}
	step_orders(&worker->orders, worker->engine, worker->number, worker->workers);
}

static void heed(struct worker *worker)
{
	const uint64_t until = atomic_load(&worker->drain_until);

	if (until > 0)
		engine_drain(worker->engine, until);
	if (atomic_exchange(&worker->reopen, false))
		engine_reopen(worker->engine);
	take_orders(worker);
	counters_answer(&worker->workers->counters, worker->number, worker->engine);
	taps_attend(&worker->workers->taps, worker->number, worker->engine);
	if (engine_wants_end(worker->engine) &&
		!atomic_exchange(&worker->workers->end_wanted, true))
		workers_ring(worker->workers);
}

static void on_closed(uv_handle_t *handle)
{
	bool *open = handle->data;

	*open = false;
}

static void close_handle(uv_async_t *handle, bool *open, struct loop *loop)
{
	if (!*open)
		return;
	handle->data = open;
	uv_close((uv_handle_t *)handle, on_closed);
	while (*open)
		loop_turn(loop, 0);
}

/* Whoever has nothing to run waits for orders. */
static void turn(
	struct engine *engine, struct loop *loop, const struct order *orders, int timeout_ms)
{
	if (orders || !engine_finished(engine))
		engine_turn(engine, orders_patience(orders, engine, timeout_ms));
	else
		loop_turn(loop, timeout_ms);
}

static void tell_idle(struct worker *worker)
{
	if (!worker->orders && engine_finished(worker->engine) &&
		!atomic_exchange(&worker->idle, true))
		workers_ring(worker->workers);
}

static void worker_run(void *context)
{
	struct worker *worker = context;

	worker->good = open_worker(worker);
	uv_sem_post(&worker->opened);
	uv_sem_wait(&worker->go);
	while (worker->good && !atomic_load(&worker->stop)) {
		turn(worker->engine, worker->loop, worker->orders, -1);
		heed(worker);
		tell_idle(worker);
		atomic_fetch_add_explicit(&worker->turns, 1, memory_order_relaxed);
	}
	if (worker->engine) {
		worker->stuck = !engine_close(worker->engine);
		counters_end(&worker->workers->counters, worker->number, worker->engine);
	}
}

/* The first worker's side. */

/* Signals are the first thread's. */
static bool start_thread(struct worker *worker)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int answer = uv_thread_create(&worker->thread, worker_run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return answer == 0;
}

static void move_faults(struct faults *from, struct faults *to)
{
	for (size_t i = 0; i < from->count; i++)
		fault_at(to, NULL, from->items[i].remedy, "%s", from->items[i].message);
	faults_close(from);
}

static bool start_worker(struct workers *workers, uint32_t number, struct faults *faults)
{
	struct worker *worker = &workers->items[number - 1];

	worker->workers = workers;
	worker->number = number;
	if (uv_sem_init(&worker->opened, 0) != 0 || uv_sem_init(&worker->go, 0) != 0)
		return fault_at(faults, NULL, NULL, "cannot start a thread");
	worker->started = start_thread(worker);
	if (!worker->started)
		return fault_at(faults, NULL, NULL, "cannot start a thread");
	workers->count = number;
	uv_sem_wait(&worker->opened);
	move_faults(&worker->faults, faults);
	return worker->good;
}

static bool start_workers(struct workers *workers, struct faults *faults)
{
	bool good = true;

	for (uint32_t number = 1; number < workers->plan->workers && good; number++)
		good = start_worker(workers, number, faults);
	for (uint32_t i = 0; good && i < workers->count; i++)
		uv_sem_post(&workers->items[i].go);
	return good;
}

bool workers_open(struct workers *workers, struct plan *plan, struct loop *loop, struct log *log,
	struct faults *faults)
{
	*workers = (struct workers){ .plan = plan, .log = log, .loop = loop };
	workers->items = calloc(plan->workers, sizeof(*workers->items));
	workers->engine = engine_create(plan, 0, loop, log_engine_event, log);
	if (!workers->items || !workers->engine || !counters_open(&workers->counters, plan) ||
		!taps_open(&workers->taps, plan->workers) ||
		uv_async_init(loop_uv(loop), &workers->bell, on_wake) != 0)
		return fault_at(faults, NULL, NULL, "not enough memory to start");
	workers->bell_open = true;
	return engine_open(workers->engine, faults) && start_workers(workers, faults);
}

bool workers_finished(const struct workers *workers)
{
	for (uint32_t i = 0; i < workers->count; i++)
		if (!atomic_load(&workers->items[i].idle))
			return false;
	return engine_finished(workers->engine);
}

void workers_turn(struct workers *workers, int timeout_ms)
{
	turn(workers->engine, workers->loop, workers->orders, timeout_ms);
	step_orders(&workers->orders, workers->engine, 0, workers);
	counters_answer(&workers->counters, 0, workers->engine);
	taps_attend(&workers->taps, 0, workers->engine);
	if (engine_wants_end(workers->engine))
		atomic_store(&workers->end_wanted, true);
	if (atomic_load(&workers->end_wanted) && !workers->ending)
		workers_drain(workers, loop_now(workers->loop));
}

/* The handle is there as long as the thread runs: it is told before it is joined. */
static void wake(struct worker *worker)
{
	if (worker->started && worker->wake_open)
		uv_async_send(&worker->wake);
}

bool workers_turned(struct workers *workers)
{
	bool all = true;

	for (uint32_t i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->items[i];
		const uint64_t turns = atomic_load(&worker->turns);

		all &= turns != worker->turns_seen;
		worker->turns_seen = turns;
		wake(worker);
	}
	return all;
}

void workers_drain(struct workers *workers, uint64_t read_deadline)
{
	workers->ending = true;
	engine_drain(workers->engine, read_deadline);
	for (uint32_t i = 0; i < workers->count; i++) {
		atomic_store(&workers->items[i].drain_until, read_deadline);
		wake(&workers->items[i]);
	}
}

void workers_reopen(struct workers *workers)
{
	engine_reopen(workers->engine);
	for (uint32_t i = 0; i < workers->count; i++) {
		atomic_store(&workers->items[i].reopen, true);
		wake(&workers->items[i]);
	}
}

void workers_order(struct workers *workers, uint32_t worker, struct order *order)
{
	struct order **list = &workers->orders;

	if (worker == 0) {
		order->following = *list;
		*list = order;
		workers_ring(workers);
		return;
	}
	struct worker *other = &workers->items[worker - 1];
	order->following = atomic_load(&other->given);
	while (!atomic_compare_exchange_weak(&other->given, &order->following, order))
		continue;
	wake(other);
}

uint32_t workers_idlest(const struct workers *workers, const struct plan *plan)
{
	uint32_t best = 0;
	size_t fewest = SIZE_MAX;

	for (uint32_t worker = 0; worker <= workers->count; worker++) {
		size_t count = 0;
		for (size_t i = 0; i < plan->count; i++)
			count += plan->pipelines[i]->worker == worker;
		if (count < fewest) {
			fewest = count;
			best = worker;
		}
	}
	return best;
}

static void wake_all(void *context)
{
	struct workers *workers = context;

	workers_ring(workers);
	for (uint32_t i = 0; i < workers->count; i++)
		wake(&workers->items[i]);
}

bool workers_follow(struct workers *workers, struct plan *plan)
{
	if (!counters_replace(&workers->counters, plan))
		return false;
	workers->plan = plan;
	return true;
}

bool workers_ask(struct workers *workers, uint64_t patience_ms, struct snapshot *snapshot)
{
	return counters_ask(&workers->counters, wake_all, workers, patience_ms, snapshot);
}

struct tapping *workers_tap(
	struct workers *workers, const struct tapping_wish *wish, const char **why)
{
	struct tapping *tapping = taps_begin(&workers->taps, wish, why);

	if (tapping)
		wake_all(workers);
	return tapping;
}

void workers_untap(struct workers *workers, struct tapping *tapping)
{
	taps_end(&workers->taps, tapping);
	wake_all(workers);
	taps_await(&workers->taps, tapping);
}

static bool join(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	uv_sem_post(&worker->go);
	wake(worker);
	uv_thread_join(&worker->thread);
	uv_sem_destroy(&worker->opened);
	uv_sem_destroy(&worker->go);
	worker->started = false;
	return !worker->stuck;
}

bool workers_stop(struct workers *workers)
{
	bool good = true;

	for (uint32_t i = 0; i < workers->count; i++)
		if (workers->items[i].started)
			good &= join(&workers->items[i]);
	if (workers->engine)
		good &= engine_close(workers->engine);
	return good;
}

/* The thread has ended; its loop runs once more here, to let go of the handle. */
static void close_worker(struct worker *worker)
{
	engine_destroy(worker->engine);
	if (worker->wake_open)
		uv_close((uv_handle_t *)&worker->wake, NULL);
	loop_destroy(worker->loop);
}

void workers_close(struct workers *workers)
{
	for (uint32_t i = 0; i < workers->count; i++)
		close_worker(&workers->items[i]);
	engine_destroy(workers->engine);
	close_handle(&workers->bell, &workers->bell_open, workers->loop);
	counters_close(&workers->counters);
	taps_close(&workers->taps);
	free(workers->items);
	*workers = (struct workers){ 0 };
}
