/* tee: gives every record to every branch. The bytes exist once; each branch gets views of its own.
 *
 * A branch that blocks holds the tee, and so all branches, until it has room. A branch that drops loses the newest
 * records, whole ones, when it has no room or pins its quota of buffers.
 */

#include "pipeline/run.h"

#include <assert.h>

static struct node *consumer_of(const struct pipeline *pipeline, const struct batch *batch)
{
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->in == batch)
			return pipeline->nodes[i];
	return NULL;
}

uint32_t branch_pins(const struct pipeline *pipeline, const struct batch *batch)
{
	uint32_t pins = batch->pins;
	const struct node *node = consumer_of(pipeline, batch);
	while (node && node->role == NODE_STAGE) {
		pins += node->out->pins;
		node = consumer_of(pipeline, node->out);
	}
	if (!node || node->role != NODE_TEE)
		return pins;
	const struct tee *tee = node->state;
	for (size_t i = 0; i < tee->count; i++)
		pins += branch_pins(pipeline, tee->branches[i].in);
	return pins;
}

static bool has_room(const struct pipeline *pipeline, const struct branch *branch, uint32_t count)
{
	if (batch_room(branch->in) < count)
		return false;
	return !branch->drop || branch_pins(pipeline, branch->in) + count <= branch->pin_limit;
}

static bool blocking_have_room(
	const struct pipeline *pipeline, const struct tee *tee, uint32_t count)
{
	for (size_t i = 0; i < tee->count; i++)
		if (!tee->branches[i].drop && !has_room(pipeline, &tee->branches[i], count))
			return false;
	return true;
}

/* Gives a branch views of the first `count` views of the tee's input. */
static void give(struct run *run, struct branch *branch, const struct batch *in, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct view *view = batch_peek(in, i);
		if (!view_slice(view, 0, view->size, &run->group[i]))
			run->group[i] = (struct view){ 0 };
		run->group[i].tag = view->tag;
	}
	bool put = batch_put_all(branch->in, run->group, count);
	assert(put);
}

static uint32_t records_in(const struct batch *in, uint32_t count)
{
	uint32_t records = 0;
	for (uint32_t i = 0; i < count; i++)
		records += in->kind == FLOW_BYTES ? 0 : view_records(batch_peek(in, i));
	return records;
}

void tee_process(struct run *run, struct node *node)
{
	struct tee *tee = node->state;
	struct batch *in = node->in;
	for (uint32_t count; (count = batch_group(in)) > 0;) {
		assert(count <= run->group_room);
		if (!blocking_have_room(run->pipeline, tee, count))
			return;
		for (size_t i = 0; i < tee->count; i++) {
			struct branch *branch = &tee->branches[i];
			if (has_room(run->pipeline, branch, count))
				give(run, branch, in, count);
			else
				branch->dropped += records_in(in, count);
		}
		while (count-- > 0) {
			struct view view = batch_take(in);
			view_drop(&view);
		}
	}
}
