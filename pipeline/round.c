/* A round: every node of a pipeline's row once, from the sources to the sinks. */

#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>

enum {
	MOST_TO_BRANCHES = 256 * 1024, /* a round: each takes the same bytes out of the cache */
	WORTH_A_WRITE = 128 * 1024
};

static bool feeders_finished(const struct run *run, const struct edge *edge)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (node_feeds(run->pipeline->nodes[i], edge) && !run->pipeline->nodes[i]->finished)
			return false;
	return true;
}

/* The node is done; an edge into which all have put their last is closed. */
static void finish_node(struct run *run, struct node *node)
{
	node->ended = true;
	node->finished = true;
	run->open_nodes--;
	epoch_node_finished(run, node);
	for (size_t i = 0; i < run->pipeline->edge_count; i++) {
		struct edge *edge = &run->pipeline->edges[i];
		if (node_feeds(node, edge) && feeders_finished(run, edge))
			edge->batch.closed = true;
	}
}

static void count_given(struct node *node, const struct flow_count *before)
{
	const struct flow_count *now = &node->out->put;
	node->given.views += now->views - before->views;
	node->given.records += now->records - before->records;
	node->given.bytes += now->bytes - before->bytes;
}

static void step_source(struct run *run, struct node *node)
{
	const struct source_ops *ops = source_ops(node);
	struct flow_count before = node->out->put;
	if (!node->ended && !run->carried) {
		if (run->resting && !node->drains)
			node->rested = ops->rest(node, node->out);
		else
			ops->read(node, node->out);
		count_given(node, &before);
		run->read += node->out->put.bytes - before.bytes;
	}
	if (node->ended && !node->finished && epoch_lets_close(run))
		finish_node(run, node);
}

static bool input_is_over(const struct node *node)
{
	return node->in->closed && batch_empty(node->in) && !node->in->marked;
}

static void step_stage(struct run *run, struct node *node)
{
	const struct stage_ops *ops = stage_ops(node);
	struct flow_count before = node->out->put;
	if (node->ended)
		return;
	ops->process(node, node->in, node->out);
	if (batch_mark_reached(node->in) && (!ops->settle || ops->settle(node, node->out))) {
		batch_clear_mark(node->in);
		epoch_pass(run, node);
	}
	if (run->resting && batch_empty(node->in))
		node->rested = !ops->settle || ops->settle(node, node->out);
	bool (*end)(struct node *, struct batch *) = ops->end ? ops->end : ops->settle;
	bool over = input_is_over(node) && (!end || end(node, node->out));
	count_given(node, &before);
	if (over)
		finish_node(run, node);
}

static void step_tee(struct run *run, struct node *node)
{
	if (node->ended)
		return;
	tee_process(run, node);
	if (batch_mark_reached(node->in)) {
		batch_clear_mark(node->in);
		epoch_pass(run, node);
	}
	if (input_is_over(node))
		finish_node(run, node);
}

/* A source is at something that will bring bytes for certain. */
static bool more_will_come(const struct run *run)
{
	for (size_t i = 0; i < run->leg_count; i++)
		if (run->pipeline->nodes[run->legs[i].first]->more)
			return true;
	return false;
}

/* Each write has a cost of its own: while there is more to read, a sink waits for enough to be worth one, as long as
 * neither its queue nor the pool suffers from it. */
static bool is_worth_a_write(const struct run *run, const struct batch *in)
{
	return in->put.bytes - in->taken.bytes >= WORTH_A_WRITE || in->closed ||
	       batch_room(in) < in->room_limit / 2 || pool_available(run->pipeline->pool) == 0;
}

static void step_sink(struct run *run, struct node *node)
{
	const struct sink_ops *ops = sink_ops(node);
	bool waits = run->reading && !is_worth_a_write(run, node->in);
	const bool leaves = node->heir || node->abandoned;
	if (node->ended || (waits && !node->due && !leaves))
		return;
	if (leaves)
		leaving_step(node);
	else
		ops->write(node, node->in);
	if (input_is_over(node) && (leaves || !ops->end || ops->end(node)))
		finish_node(run, node);
}

static void step_node(struct run *run, struct node *node)
{
	switch (node->role) {
	case NODE_SOURCE:
		step_source(run, node);
		break;
	case NODE_STAGE:
		step_stage(run, node);
		break;
	case NODE_TEE:
		step_tee(run, node);
		break;
	case NODE_SINK:
		step_sink(run, node);
		break;
	}
	if (run->taps)
		run_show_taps(run, node);
}

static uint64_t source_quota(const struct pipeline *pipeline)
{
	uint64_t sources = 0, most = NODE_MOST_A_ROUND;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		sources += node->role == NODE_SOURCE && !node->ended;
		if (node->role == NODE_TEE)
			most = MOST_TO_BRANCHES;
	}
	uint64_t quota = most / (sources ? sources : 1);
	return quota > pipeline->buffer_size ? quota : pipeline->buffer_size;
}

/* Whatever changes when something moves. That an epoch starts counts too: its marks lie in front of stages that were
 * stepped before, and may wake nobody else. */
static uint64_t movement(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	uint64_t sum = pipeline->node_count - run->open_nodes;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		const struct batch *batch = &pipeline->edges[i].batch;
		sum += batch->put.views + batch->put.bytes + batch->taken.views +
		       batch->taken.bytes + batch->closed;
	}
	return sum;
}

/* The pool is empty and nothing moves: thin views in sink queues let go of the buffers that they pin. */
static bool pack_thin(struct run *run)
{
	struct pipeline *pipeline = run->pipeline;
	bool any = false;
	if (pool_available(pipeline->pool) > 0)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SINK)
			any |= batch_pack_thin(node->in, pipeline->pool, &node->account.copies);
	}
	return any;
}

/* The leg that begins with this source: the stages that only it feeds, before legs meet or part. */
static size_t leg_size(const struct pipeline *pipeline, size_t first)
{
	size_t size = 1;
	for (; first + size < pipeline->node_count; size++) {
		const struct node *next = pipeline->nodes[first + size];
		if (next->role != NODE_STAGE || edge_of(next->in)->producers > 1)
			break;
	}
	return size;
}

bool round_open(struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	run->legs = calloc(pipeline->node_count, sizeof(*run->legs));
	if (!run->legs)
		return false;
	while (run->shared < pipeline->node_count &&
		pipeline->nodes[run->shared]->role == NODE_SOURCE) {
		struct leg *leg = &run->legs[run->leg_count++];
		*leg = (struct leg){ .first = run->shared,
			.size = leg_size(pipeline, run->shared) };
		run->shared += leg->size;
	}
	return true;
}

void round_close(struct run *run)
{
	free(run->legs);
	run->legs = NULL;
}

static uint64_t given_by(const struct node *node)
{
	return node->given.views + node->given.bytes;
}

/* Steps a leg. False if it could give nothing, because what comes next is larger than the room that there is. */
static bool step_leg(struct run *run, const struct leg *leg, uint64_t quota)
{
	struct node *const *nodes = &run->pipeline->nodes[leg->first];
	const struct node *last = nodes[leg->size - 1];
	uint64_t given = given_by(last);
	nodes[0]->quota = quota;
	for (size_t i = 0; i < leg->size; i++)
		step_node(run, nodes[i]);
	return given_by(last) > given || !last->in || batch_empty(last->in) ||
	       batch_empty(last->out);
}

/* Legs that meet begin in turn, or the first would always take what room there is. One that finds too little stays
 * first, and those behind it wait, until it has gone on: a large record would never find its room. */
static void step_legs(struct run *run)
{
	uint64_t quota = source_quota(run->pipeline);
	size_t first = run->first_leg;
	assert(run->leg_count > 0);
	for (size_t i = 0; i < run->leg_count; i++) {
		size_t leg = (first + i) % run->leg_count;
		if (!step_leg(run, &run->legs[leg], quota) && run->leg_count > 1) {
			run->first_leg = leg;
			return;
		}
	}
	run->first_leg = (first + 1) % run->leg_count;
}

bool round_moves(struct run *run)
{
	struct pipeline *pipeline = run->pipeline;
	uint64_t read = run->read;
	if (run->inherits)
		leaving_put(run);
	if (!run->inherits && run->carried && carried_put(run))
		carried_close(run);
	if (!run->inherits)
		step_legs(run);
	run->reading = run->read > read || more_will_come(run);
	for (size_t i = run->shared; i < pipeline->node_count; i++)
		if (!run->inherits || pipeline->nodes[i]->role == NODE_SINK)
			step_node(run, pipeline->nodes[i]);
	epoch_step(run, engine_now(run->engine));
	uint64_t moved = movement(run), epochs = 2 * run->epoch.number + !run->epoch.open;
	bool flowed = moved != run->moved, stepped = epochs != run->epochs;
	run->moved = moved;
	run->epochs = epochs;
	/* A step of an epoch is no reason for another one. */
	if (flowed)
		epoch_moved(run, engine_now(run->engine));
	return flowed || stepped || pack_thin(run);
}

void round_flush(struct run *run)
{
	run->reading = more_will_come(run);
	for (size_t i = run->shared; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i]->role == NODE_SINK)
			step_sink(run, run->pipeline->nodes[i]);
	/* The last sink may have finished here: no round comes that would commit. */
	epoch_step(run, engine_now(run->engine));
}
