/* Runs: one pipeline each, opened from its sinks to its sources, drained, and closed from its sinks again. */

#include "pipeline/run.h"

#include "pipeline/io/loop.h"

#include <assert.h>
#include <stdlib.h>

enum { SPARE_BUFFERS = 2 };

static const enum node_role order[RUN_STEPS] = { NODE_SINK, NODE_TEE, NODE_STAGE, NODE_SOURCE };

size_t run_index(const struct run *run, const struct node *node)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i] == node)
			return i;
	assert(false);
	return 0;
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

/* --- opening ------------------------------------------------------------------------------------------------------- */

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

bool run_open_step(struct run *run, size_t step, struct faults *faults)
{
	return open_role(run, order[step], faults);
}

bool run_open_nodes(struct run *run, struct faults *faults)
{
	bool good = true;
	for (size_t step = 0; good && step < RUN_STEPS; step++)
		good = run_open_step(run, step, faults);
	run->ready = good;
	return good;
}

/* --- ending -------------------------------------------------------------------------------------------------------- */

void source_drain(struct node *node, uint64_t read_deadline)
{
	const struct source_ops *ops = source_ops(node);
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

/* --- closing ------------------------------------------------------------------------------------------------------- */

static bool anything_in_flight(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t k = 0; k < pipeline->node_count; k++)
		if (pipeline->nodes[k]->busy > 0)
			return true;
	return false;
}

void run_cancel(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t k = 0; k < pipeline->node_count; k++) {
		struct node *node = pipeline->nodes[k];
		if (node->open && node->type->halt)
			node->type->halt(node);
	}
}

bool run_wait(const struct run *run, uint64_t deadline)
{
	struct loop *loop = run->engine->loop;
	while (anything_in_flight(run) && loop_now(loop) < deadline)
		loop_turn(loop, RUN_HALT_MS);
	return !anything_in_flight(run);
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
void run_close(struct run *run)
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

void run_free(struct run *run)
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
	run_cancel(run);
	if (!run_wait(run, loop_now(run->engine->loop) + RUN_HALT_MS))
		return false;
	run_close(run);
	if (heir)
		report_inherit(run->pipeline, heir);
	forget(run->engine, run);
	run_free(run);
	return true;
}
