/* Turns: the walk along the rows until nothing moves, and the wait. */

#include "pipeline/engine.h"

#include "pipeline/io/loop.h"
#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
	TURN_BYTES = 1024 * 1024,
	TURN_ROUNDS = 16,
	TURN_NS = 1000 * 1000,
	SPARE_BUFFERS = 2,
	EPOCH_INTERVAL_MS = 1000,
	MOST_OVERDUE = 100,
	HALT_MS = 1000
};

size_t engine_pipelines(const struct engine *engine)
{
	return engine->count;
}

size_t run_index(const struct run *run, const struct node *node)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i] == node)
			return i;
	assert(false);
	return 0;
}

struct edge *edge_of(const struct batch *batch)
{
	return (struct edge *)((uintptr_t)batch - offsetof(struct edge, batch));
}

bool node_feeds(const struct node *node, const struct edge *edge)
{
	if (node->role != NODE_TEE)
		return node->out == &edge->batch;
	const struct tee *tee = node->state;
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].in == &edge->batch)
			return true;
	return false;
}

void engine_say(struct engine *engine, enum log_level level, const char *pipeline, const char *node,
	const char *text)
{
	if (engine->log)
		engine->log(engine->log_context, level, pipeline, node, text);
}

struct run *run_create(struct engine *engine, struct pipeline *pipeline)
{
	struct run **more = reallocarray(engine->runs, engine->count + 1, sizeof(*engine->runs));
	if (more)
		engine->runs = more;
	struct run *run = more ? calloc(1, sizeof(*run)) : NULL;
	if (!run)
		return NULL;
	*run = (struct run){ .pipeline = pipeline, .engine = engine };
	pipeline->engine = engine;
	pipeline->run = run;
	engine->runs[engine->count++] = run;
	engine->changes++;
	return run;
}

struct engine *engine_create(
	struct plan *plan, uint32_t worker, struct loop *loop, engine_log *log, void *context)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	if (!engine)
		return NULL;
	*engine = (struct engine){ .loop = loop,
		.log = log,
		.log_context = context,
		.epoch_interval = EPOCH_INTERVAL_MS };
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->worker == worker &&
			!run_create(engine, plan->pipelines[i])) {
			engine_destroy(engine);
			return NULL;
		}
	assert(engine->count > 0);
	return engine;
}

uint64_t engine_changes(const struct engine *engine)
{
	return engine->changes;
}

void engine_set_epoch_interval(struct engine *engine, uint64_t ms)
{
	engine->epoch_interval = ms;
}

/* Opening */

static bool open_edges(struct run *run)
{
	struct pipeline *pipeline = run->pipeline;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		struct edge *edge = &pipeline->edges[i];
		if (!batch_open(&edge->batch, edge->kind, edge->room))
			return false;
		edge->batch.pin_limit = edge->pin_limit;
	}
	return true;
}

bool run_open_memory(struct run *run, struct faults *faults)
{
	struct pipeline *pipeline = run->pipeline;
	pipeline->pool = pool_create(pipeline->buffers, pipeline->buffer_size);
	if (!pipeline->pool || !open_edges(run) || !round_open(run) ||
		!epoch_open(run, run->engine->epoch_interval))
		return fault_at(faults, NULL, "lower service.memory",
			"%s: no memory for %u buffers of %u bytes", pipeline->name,
			pipeline->buffers, pipeline->buffer_size);
	pool_keep_spare(pipeline->pool, SPARE_BUFFERS);
	return true;
}

/* A source that was taken over is open, and goes on with the pool that is its now. */
static bool open_node(struct run *run, struct node *node, struct faults *faults)
{
	bool is_open = node->open;
	node->pool = run->pipeline->pool;
	node->loop = run->engine->loop;
	node->open = true;
	run->open_nodes++;
	return is_open || !node->type || !node->type->open || node->type->open(node, faults);
}

static bool open_role(struct run *run, enum node_role role, struct faults *faults)
{
	bool good = true;
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i]->role == role)
			good &= open_node(run, run->pipeline->nodes[i], faults);
	return good;
}

static const enum node_role order[] = { NODE_SINK, NODE_TEE, NODE_STAGE, NODE_SOURCE };

bool run_open_nodes(struct run *run, struct faults *faults)
{
	bool good = true;
	for (size_t step = 0; good && step < sizeof(order) / sizeof(*order); step++)
		good = open_role(run, order[step], faults);
	run->ready = good;
	return good;
}

bool engine_open(struct engine *engine, struct faults *faults)
{
	bool good = true;
	engine->opened = true;
	for (size_t i = 0; i < engine->count; i++)
		good &= run_open_memory(engine->runs[i], faults);
	for (size_t step = 0; good && step < sizeof(order) / sizeof(*order); step++)
		for (size_t i = 0; i < engine->count; i++)
			good &= open_role(engine->runs[i], order[step], faults);
	for (size_t i = 0; good && i < engine->count; i++)
		engine->runs[i]->ready = true;
	return good;
}

/* A turn */

static uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t earliest_due(const struct run *run)
{
	uint64_t due = run->epoch.open ? 0 : run->epoch.due;
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		const struct node *node = run->pipeline->nodes[i];
		if (node->role == NODE_SOURCE && node->rested)
			continue; /* it is asked again when it goes on */
		if (!node->finished && node->due && (!due || node->due < due))
			due = node->due;
	}
	return due;
}

/* A node whose time has come must have set another, or none. */
static void check_due(struct run *run, uint64_t now)
{
	uint64_t due = earliest_due(run);
	run->overdue = due && due <= now ? run->overdue + 1 : 0;
	assert(run->overdue < MOST_OVERDUE);
}

static void run_turn(struct run *run)
{
	uint64_t begin = clock_ns(), read = run->read;
	waiting_end(run, loop_now(run->engine->loop));
	round_flush(run); /* what waits goes first: the kernel writes while the sources read */
	for (unsigned round = 0; round < TURN_ROUNDS; round++) {
		run->ready = false;
		bool moves = round_moves(run);
		loop_submit(run->engine->loop);
		if (!moves && !run->ready) {
			check_due(run, loop_now(run->engine->loop));
			waiting_begin(run, loop_now(run->engine->loop));
			return;
		}
		if (run->read - read >= TURN_BYTES || clock_ns() - begin >= TURN_NS)
			break;
	}
	round_flush(run);
	run->ready = true;
}

/* All that is left are drop branches whose sinks are not there: nobody waits for them. */
static bool nothing_but_lost_branches(const struct run *run)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		const struct node *node = run->pipeline->nodes[i];
		if (!node->finished && (!node->optional || (node->role == NODE_SINK && node->up)))
			return false;
	}
	return run->draining;
}

bool run_is_over(const struct run *run)
{
	return run->stuck ||
	       (!run->failed && (run->open_nodes == 0 || nothing_but_lost_branches(run)));
}

/* How long the loop may wait: not at all while a pipeline is ready. */
static int waiting_time(const struct engine *engine, int timeout_ms)
{
	uint64_t now = loop_now(engine->loop);
	for (size_t i = 0; i < engine->count; i++) {
		const struct run *run = engine->runs[i];
		if (run->ready || (run->watched && engine_is_quiet(run->pipeline)))
			return 0;
		uint64_t due = earliest_due(run);
		if (!due || run->failed || run_is_over(run))
			continue;
		int wait = due <= now ? 0 : (int)(due - now < INT32_MAX ? due - now : INT32_MAX);
		if (timeout_ms < 0 || wait < timeout_ms)
			timeout_ms = wait;
	}
	return timeout_ms;
}

const double engine_turn_limits[TURN_LIMITS] = { 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3,
	1 };

static void count_turn(struct turn_times *times, uint64_t ns)
{
	size_t bucket = 0;
	while (bucket < TURN_LIMITS && (double)ns > engine_turn_limits[bucket] * 1e9)
		bucket++;
	times->counts[bucket]++;
	times->ns += ns;
}

const struct turn_times *engine_turn_times(const struct engine *engine)
{
	return &engine->times;
}

void engine_turn(struct engine *engine, int timeout_ms)
{
	uint64_t now = loop_now(engine->loop), begin = clock_ns();
	for (size_t i = 0; i < engine->count; i++) {
		struct run *run = engine->runs[(engine->first + i) % engine->count];
		uint64_t due = earliest_due(run);
		if (!run->failed && !run_is_over(run) && (run->ready || (due && due <= now)))
			run_turn(run);
		else
			run->ready = false;
	}
	engine->first = engine->count > 0 ? (engine->first + 1) % engine->count : 0;
	count_turn(&engine->times, clock_ns() - begin);
	loop_turn(engine->loop, engine_finished(engine) ? 0 : waiting_time(engine, timeout_ms));
}

bool engine_finished(const struct engine *engine)
{
	for (size_t i = 0; i < engine->count; i++)
		if (!run_is_over(engine->runs[i]))
			return false;
	return true;
}

void source_drain(struct node *node, uint64_t read_deadline)
{
	const struct source_ops *ops = (const void *)node->type;
	if (node->drains)
		return;
	node->drains = true;
	if (ops->drain)
		ops->drain(node, read_deadline);
	else
		node->ended = true;
}

void run_drain(struct run *run, uint64_t read_deadline)
{
	run->draining = true;
	run->resting = false; /* it ends now, whatever was to follow it */
	run->ready = true;
	for (size_t k = 0; k < run->pipeline->node_count; k++) {
		struct node *node = run->pipeline->nodes[k];
		node->rested = false;
		if (node->role == NODE_SOURCE && !node->ended)
			source_drain(node, read_deadline);
	}
}

void engine_drain(struct engine *engine, uint64_t read_deadline)
{
	if (engine->draining)
		return;
	engine->draining = true;
	for (size_t i = 0; i < engine->count; i++)
		if (!engine->runs[i]->failed) /* what is not open yet drains as soon as it is */
			run_drain(engine->runs[i], read_deadline);
}

void engine_want_end(struct engine *engine)
{
	engine->end_wanted = true;
	engine_drain(engine, loop_now(engine->loop));
}

bool engine_drains(const struct engine *engine)
{
	return engine->draining;
}

bool engine_wants_end(const struct engine *engine)
{
	return engine->end_wanted;
}

void engine_reopen(struct engine *engine)
{
	for (size_t i = 0; i < engine->count; i++) {
		struct run *run = engine->runs[i];
		for (size_t k = 0; k < run->pipeline->node_count; k++) {
			struct node *node = run->pipeline->nodes[k];
			const struct sink_ops *ops = (const void *)node->type;
			if (node->role == NODE_SINK && ops->reopen && !node->ended)
				ops->reopen(node);
		}
		run->ready = true;
	}
}

uint64_t engine_now(const struct engine *engine)
{
	return loop_now(engine->loop);
}

/* Closing */

static bool anything_in_flight(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t k = 0; k < pipeline->node_count; k++)
		if (pipeline->nodes[k]->busy > 0)
			return true;
	return false;
}

static void cancel(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t k = 0; k < pipeline->node_count; k++) {
		struct node *node = pipeline->nodes[k];
		if (node->open && node->type->halt)
			node->type->halt(node);
	}
}

static bool wait_for_all(const struct run *run, uint64_t deadline)
{
	struct loop *loop = run->engine->loop;
	while (anything_in_flight(run) && loop_now(loop) < deadline)
		loop_turn(loop, HALT_MS);
	return !anything_in_flight(run);
}

static bool halt(struct engine *engine)
{
	uint64_t deadline = loop_now(engine->loop) + HALT_MS;
	bool good = true;
	for (size_t i = 0; i < engine->count; i++)
		cancel(engine->runs[i]);
	for (size_t i = 0; i < engine->count; i++)
		good &= wait_for_all(engine->runs[i], deadline);
	return good;
}

/* What is still held will not be written. */
static void close_node(struct node *node)
{
	uint64_t held = node_queued(node) + node->account.held;
	if (node->in)
		node->in->taken.records += node_queued(node);
	node->account.held = 0;
	node_drop(node, DROP_SHUTDOWN, held);
	node->open = false;
	plan_close_node(node);
}

/* Views first: they may lie in what the nodes made for themselves (frames, aside blocks). */
static void close_run(struct run *run)
{
	struct pipeline *pipeline = run->pipeline;
	run_detach_taps(run);
	leaving_close(run);
	for (size_t i = 0; i < pipeline->edge_count; i++)
		batch_empty_out(&pipeline->edges[i].batch);
	carried_close(run);
	for (size_t i = pipeline->node_count; i-- > 0;)
		close_node(pipeline->nodes[i]);
	round_close(run);
	epoch_close(run);
}

bool engine_close(struct engine *engine)
{
	if (!engine->opened)
		return true;
	if (!halt(engine))
		return false;
	engine->opened = false;
	for (size_t i = 0; i < engine->count; i++)
		close_run(engine->runs[i]);
	return true;
}

static void free_run(struct run *run)
{
	struct pipeline *pipeline = run->pipeline;
	pipeline->left = pipeline_undelivered_bytes(pipeline);
	for (size_t k = 0; k < pipeline->edge_count; k++)
		batch_close(&pipeline->edges[k].batch);
	pool_destroy(pipeline->pool);
	pipeline->pool = NULL;
	pipeline->engine = NULL;
	pipeline->run = NULL;
	free(run);
}

static void forget(struct engine *engine, const struct run *run)
{
	size_t at = 0;
	while (engine->runs[at] != run)
		at++;
	engine->count--;
	for (; at < engine->count; at++)
		engine->runs[at] = engine->runs[at + 1];
	engine->first = 0;
}

bool run_destroy(struct run *run, struct pipeline *heir)
{
	cancel(run);
	if (!wait_for_all(run, loop_now(run->engine->loop) + HALT_MS))
		return false;
	close_run(run);
	if (heir)
		report_inherit(run->pipeline, heir);
	forget(run->engine, run);
	free_run(run);
	return true;
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	bool closed = engine_close(engine);
	assert(closed);
	for (size_t i = 0; i < engine->count; i++)
		free_run(engine->runs[i]);
	free(engine->runs);
	free(engine);
}
