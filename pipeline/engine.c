/* The engine: all pipelines of a worker, opened, turned, drained and closed together. */

#include "pipeline/engine.h"

#include "pipeline/io/loop.h"
#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>

enum { EPOCH_INTERVAL_MS = 1000 };

size_t engine_pipelines(const struct engine *engine)
{
	return engine->count;
}

void engine_say(struct engine *engine, enum log_level level, const char *pipeline, const char *node,
	const char *text)
{
	if (engine->log)
		engine->log(engine->log_context, level, pipeline, node, text);
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

bool engine_open(struct engine *engine, struct faults *faults)
{
	bool good = true;
	engine->opened = true;
	for (size_t i = 0; i < engine->count; i++)
		good &= run_open_memory(engine->runs[i], faults);
	for (size_t step = 0; good && step < RUN_STEPS; step++)
		for (size_t i = 0; i < engine->count; i++)
			good &= run_open_step(engine->runs[i], step, faults);
	for (size_t i = 0; good && i < engine->count; i++)
		engine->runs[i]->ready = true;
	return good;
}

/* --- turns --------------------------------------------------------------------------------------------------------- */

/* How long the loop may wait: not at all while a pipeline is ready. */
static int waiting_time(const struct engine *engine, int timeout_ms)
{
	uint64_t now = loop_now(engine->loop);
	for (size_t i = 0; i < engine->count; i++) {
		const struct run *run = engine->runs[i];
		if (run->ready || (run->watched && engine_is_quiet(run->pipeline)))
			return 0;
		uint64_t due = turn_due(run);
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
	uint64_t now = loop_now(engine->loop), begin = turn_clock();
	for (size_t i = 0; i < engine->count; i++) {
		struct run *run = engine->runs[(engine->first + i) % engine->count];
		uint64_t due = turn_due(run);
		if (!run->failed && !run_is_over(run) && (run->ready || (due && due <= now)))
			turn_take(run);
		else
			run->ready = false;
	}
	engine->first = engine->count > 0 ? (engine->first + 1) % engine->count : 0;
	count_turn(&engine->times, turn_clock() - begin);
	loop_turn(engine->loop, engine_finished(engine) ? 0 : waiting_time(engine, timeout_ms));
}

bool engine_finished(const struct engine *engine)
{
	for (size_t i = 0; i < engine->count; i++)
		if (!run_is_over(engine->runs[i]))
			return false;
	return true;
}

/* --- what it is told ----------------------------------------------------------------------------------------------- */

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
			if (node->role == NODE_SINK && sink_ops(node)->reopen && !node->ended)
				sink_ops(node)->reopen(node);
		}
		run->ready = true;
	}
}

uint64_t engine_now(const struct engine *engine)
{
	return loop_now(engine->loop);
}

/* --- closing ------------------------------------------------------------------------------------------------------- */

static bool halt(struct engine *engine)
{
	uint64_t deadline = loop_now(engine->loop) + RUN_HALT_MS;
	bool good = true;
	for (size_t i = 0; i < engine->count; i++)
		run_cancel(engine->runs[i]);
	for (size_t i = 0; i < engine->count; i++)
		good &= run_wait(engine->runs[i], deadline);
	return good;
}

bool engine_close(struct engine *engine)
{
	if (!engine->opened)
		return true;
	if (!halt(engine))
		return false;
	engine->opened = false;
	for (size_t i = 0; i < engine->count; i++)
		run_close(engine->runs[i]);
	return true;
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	bool closed = engine_close(engine);
	assert(closed);
	for (size_t i = 0; i < engine->count; i++)
		run_free(engine->runs[i]);
	free(engine->runs);
	free(engine);
}
