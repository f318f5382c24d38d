/* tee: gives every record to every branch. The bytes exist once; each branch gets views of its own.
 *
 * A branch that blocks holds the tee, and so all branches, until it has room. A branch that drops loses the newest
 * records, whole ones, when it has no room or pins its quota of buffers.
 */

#include "pipeline/run.h"

#include <assert.h>

uint32_t branch_pins(const struct batch *batch)
{
	uint32_t pins = batch->pins;
	const struct node *node = edge_of(batch)->consumer;
	while (node && node->role == NODE_STAGE) {
		pins += node->out->pins;
		node = edge_of(node->out)->consumer;
	}
	if (!node || node->role != NODE_TEE)
		return pins;
	const struct tee *tee = node->state;
	for (size_t i = 0; i < tee->count; i++)
		pins += branch_pins(tee->branches[i].in);
	return pins;
}

static const struct pool *pool_of(const struct batch *batch, uint32_t index)
{
	const struct buffer *buffer =
		batch->views[(batch->head + index) & (batch->capacity - 1)].buffer;
	return buffer ? buffer->pool : NULL;
}

static uint32_t views_of(const struct batch *batch, uint32_t count, const struct pool *pool)
{
	uint32_t views = 0;
	for (uint32_t i = 0; i < count; i++)
		views += pool_of(batch, i) == pool;
	return views;
}

/* The views of a branch that lie in this pool: in all its edges. */
static uint32_t branch_views(const struct batch *batch, const struct pool *pool)
{
	uint32_t views = views_of(batch, batch->count, pool);
	const struct node *node = edge_of(batch)->consumer;
	if (node && node->role == NODE_STAGE)
		return views + branch_views(node->out, pool);
	const struct tee *tee = node && node->role == NODE_TEE ? node->state : NULL;
	for (size_t i = 0; tee && i < tee->count; i++)
		views += branch_views(tee->branches[i].in, pool);
	return views;
}

/* The pool, other than the pipeline's, that some of the input's first views lie in: a split's aside blocks. NULL: none. */
static const struct pool *other_pool(
	const struct pipeline *pipeline, const struct batch *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (pool_of(in, i) && pool_of(in, i) != pipeline->pool)
			return pool_of(in, i);
	return NULL;
}

/* Of another pool a drop branch has the same share as of the pipeline's, or it would hold up who waits for its blocks. */
static bool may_keep(const struct pipeline *pipeline, const struct batch *in,
	const struct branch *branch, uint32_t count)
{
	const struct pool *other = other_pool(pipeline, in, count);
	if (branch_pins(branch->in) + count > branch->pin_limit)
		return false;
	if (!other)
		return true;
	uint64_t share = (uint64_t)pool_count(other) * branch->pin_limit / pipeline->buffers;
	uint32_t views = views_of(in, count, other) + branch_views(branch->in, other);
	return views <= (share > 0 ? share : 1);
}

/* For the first `count` views of the tee's input. */
static bool has_room(const struct pipeline *pipeline, const struct batch *in,
	const struct branch *branch, uint32_t count)
{
	if (batch_room(branch->in) < count)
		return false;
	return !branch->drop || may_keep(pipeline, in, branch, count);
}

static bool blocking_have_room(
	const struct pipeline *pipeline, const struct node *node, uint32_t count)
{
	const struct tee *tee = node->state;
	for (size_t i = 0; i < tee->count; i++)
		if (!tee->branches[i].drop &&
			!has_room(pipeline, node->in, &tee->branches[i], count))
			return false;
	return true;
}

static uint32_t records_in(const struct batch *in, uint32_t count)
{
	uint32_t records = 0;
	for (uint32_t i = 0; i < count; i++)
		records += in->kind == FLOW_BYTES ? 0 : view_records(batch_peek(in, i));
	return records;
}

/* Told by the branch's first node, with how many it lost so far. */
static void drop(const struct node *tee, struct branch *branch, uint32_t records)
{
	struct node *first = edge_of(branch->in)->consumer;
	uint64_t missed;
	branch->dropped += records;
	if (log_gate_open_slowly(&branch->gate, node_now(tee), &missed))
		node_log(first, LOG_LEVEL_WARNING,
			"the branch does not keep up: its newest records are dropped, %llu so far",
			(unsigned long long)branch->dropped);
}

void tee_process(struct run *run, struct node *node)
{
	struct tee *tee = node->state;
	struct batch *in = node->in;
	for (uint32_t count; (count = batch_group(in)) > 0;) {
		if (!blocking_have_room(run->pipeline, node, count))
			return;
		for (size_t i = 0; i < tee->count; i++) {
			struct branch *branch = &tee->branches[i];
			if (has_room(run->pipeline, in, branch, count))
				batch_share(branch->in, in, count);
			else
				drop(node, branch, records_in(in, count));
		}
		while (count-- > 0) {
			struct view view = batch_take(in);
			view_drop(&view);
		}
	}
}
