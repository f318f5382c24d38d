/* Leaving: what a sink has not written when its pipeline is replaced, another one writes.
 *
 *     old:   sink halts ──▶ nothing in flight ──▶ its queue, and all that still comes down to it
 *                                                    │ copied into the new pool
 *     next:                                          └──▶ inherited ──▶ queue of its heir ──▶ ...
 *
 * The heir is the sink with the same options, or else the one that takes its place: that of the same name, or of the same
 * kind where names are numbers. What it has inherited goes before all else: until that is in its queue, only sinks move.
 */

#include "pipeline/run.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { INHERITED_VIEWS = 16 /* for each buffer of the pool */ };

/* --- who inherits -------------------------------------------------------------------------------------------------- */

/* Frames lie in blocks of their codec, larger than a buffer. */
static bool may_inherit(const struct node *old, const struct node *heir)
{
	const enum flow_kind kind = edge_of(old->in)->kind;
	return heir->role == NODE_SINK && !heir->optional && !heir->inherited &&
	       kind != FLOW_FRAMES && edge_of(heir->in)->kind == kind &&
	       (kind == FLOW_BYTES || framing_same(old->framing, heir->framing));
}

static bool is_awaited(const struct node *node)
{
	return node->role == NODE_SINK && !node->optional;
}

/* The heir of what was in front of another sink is nobody else's. */
static bool is_twin_of_another(const struct node *heir, const struct node *node)
{
	const struct pipeline *old = node->pipeline;
	for (size_t i = 0; i < old->node_count; i++)
		if (old->nodes[i] != node && is_awaited(old->nodes[i]) &&
			node_says_the_same(old->nodes[i], heir))
			return true;
	return false;
}

/* Names that are given begin with a letter. */
static bool has_given_name(const struct node *node)
{
	const char *dot = strrchr(node->name, '.');
	return !isdigit((unsigned char)(dot ? dot[1] : node->name[0]));
}

/* Whether it is the only sink, or the only one of its kind. */
static bool is_alone(const struct node *sink, bool of_its_kind)
{
	const struct pipeline *pipeline = sink->pipeline;
	size_t count = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		count += is_awaited(pipeline->nodes[i]) &&
			 (!of_its_kind || pipeline->nodes[i]->type == sink->type);
	return count == 1;
}

/* A number moves when a sink is put in front or taken out: it says little. */
static bool takes_its_place(const struct node *node, const struct node *heir)
{
	const bool same_name = strcmp(node->name, heir->name) == 0;
	if (has_given_name(node) || has_given_name(heir))
		return same_name;
	if (node->type == heir->type)
		return same_name || (is_alone(node, true) && is_alone(heir, true));
	return same_name && is_alone(node, false) && is_alone(heir, false);
}

static struct node *find_heir(const struct node *node, const struct pipeline *next)
{
	struct node *successor = NULL;
	if (!is_awaited(node) || !sink_ops(node)->leave)
		return NULL;
	for (size_t i = 0; i < next->node_count; i++) {
		struct node *heir = next->nodes[i];
		if (!may_inherit(node, heir))
			continue;
		if (node_says_the_same(node, heir))
			return heir;
		if (takes_its_place(node, heir) && !is_twin_of_another(heir, node))
			successor = heir;
	}
	return successor;
}

static bool has_something(const struct node *sink)
{
	return !sink->finished && (!batch_empty(sink->in) || sink->inherited);
}

bool engine_waits_in_vain(const struct pipeline *pipeline, const struct pipeline *next)
{
	bool any = false;
	for (size_t i = 0; pipeline->run->resting && i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (!is_awaited(node) || !has_something(node))
			continue;
		if (node->up || !find_heir(node, next))
			return false;
		any = true;
	}
	return any;
}

static bool is_hopeless(const struct node *node, const struct pipeline *next)
{
	return is_awaited(node) && sink_ops(node)->leave && has_something(node) &&
	       !node->inherited && !find_heir(node, next);
}

bool engine_abandon_sinks(struct pipeline *pipeline, const struct pipeline *next)
{
	size_t hopeless = 0, awaited = 0;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		awaited += is_awaited(pipeline->nodes[i]);
		hopeless += is_hopeless(pipeline->nodes[i], next);
	}
	if (hopeless == 0 || hopeless == awaited)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node *node = pipeline->nodes[i];
		if (!is_hopeless(node, next))
			continue;
		node->abandoned = true;
		if (node->open && node->type->halt)
			node->type->halt(node);
	}
	pipeline->run->ready = true;
	return true;
}

static bool make_heir(struct node *heir, const struct pipeline *next)
{
	const uint32_t room = next->buffers < UINT32_MAX / 2 / INHERITED_VIEWS
				      ? next->buffers * INHERITED_VIEWS
				      : UINT32_MAX / 2;
	heir->inherited = calloc(1, sizeof(*heir->inherited));
	if (!heir->inherited)
		return false;
	if (batch_open(heir->inherited, edge_of(heir->in)->kind, room))
		return true;
	free(heir->inherited);
	heir->inherited = NULL;
	return false;
}

void leaving_begin(struct pipeline *old, struct pipeline *next)
{
	for (size_t i = 0; i < old->node_count; i++) {
		struct node *node = old->nodes[i], *heir = find_heir(node, next);
		if (!heir || node->finished || !make_heir(heir, next))
			continue;
		node->heir = heir;
		next->run->inherits = true;
		old->run->leaving = true;
		if (node->open && node->type->halt)
			node->type->halt(node);
		leaving_step(node); /* what failed to open has no turns */
	}
}

bool engine_leaves(const struct pipeline *pipeline)
{
	return pipeline->run->leaving;
}

/* --- passing on ---------------------------------------------------------------------------------------------------- */

/* Each view goes into one buffer: a run that is cut anywhere has no count of its records. */
static bool has_room(const struct node *heir, const struct batch *from, uint32_t views)
{
	const struct pipeline *next = heir->pipeline;
	for (uint32_t i = 0; i < views; i++)
		if (batch_peek(from, i)->size > next->buffer_size)
			return false;
	return views <= heir->in->room_limit && views <= batch_room(heir->inherited) &&
	       views <= pool_available(next->pool);
}

static void copy_view(struct node *node, const struct view *view)
{
	struct node *heir = node->heir;
	struct run *run = heir->pipeline->run;
	struct view copy = view_of_static("", 0);
	if (view->size > 0) {
		if (!run->room || buffer_room(run->room) < view->size) {
			buffer_release(&run->room);
			run->room = pool_take(heir->pipeline->pool);
		}
		payload_copy(buffer_end(run->room), view->data, view->size, COPY_ASIDE,
			&node->account.copies);
		copy = view_publish(run->room, view->size);
	}
	copy.tag = view->tag;
	const bool put = batch_put(heir->inherited, &copy);
	assert(put);
}

/* It is as if it had never come: the heir counts it. */
static void uncount(struct batch *batch, const struct view *view)
{
	const uint64_t records = batch->kind == FLOW_BYTES ? 0 : view_records(view);
	batch->put.views--;
	batch->taken.views--;
	batch->put.bytes -= view->size;
	batch->taken.bytes -= view->size;
	batch->put.records -= records;
	batch->taken.records -= records;
}

/* What finds no room stays, and is lost with its sink. */
static void pass_on(struct node *node, struct batch *from)
{
	uint32_t views;
	while ((views = batch_group(from)) > 0 && has_room(node->heir, from, views))
		while (views-- > 0) {
			struct view view = batch_take(from);
			copy_view(node, &view);
			uncount(from, &view);
			view_drop(&view);
		}
}

/* Nobody will write it. */
static void let_go(struct node *node)
{
	const bool bytes = node->in->kind == FLOW_BYTES;
	while (!batch_empty(node->in)) {
		struct view view = batch_take(node->in);
		node_drop(node, DROP_SHUTDOWN, bytes ? 0 : view_records(&view));
		view_drop(&view);
	}
}

void leaving_step(struct node *node)
{
	node->due = 0;
	const bool leaves =
		!batch_empty(node->in) && node->busy == 0 && sink_ops(node)->leave(node);
	if (!node->heir) {
		if (leaves)
			let_go(node);
		return;
	}
	if (leaves)
		pass_on(node, node->in);
	if (!node->inherited || !batch_empty(node->in))
		return;
	pass_on(node, node->inherited);
	if (batch_empty(node->inherited))
		leaving_forget(node);
}

/* --- what was inherited -------------------------------------------------------------------------------------------- */

void leaving_forget(struct node *node)
{
	if (!node->inherited)
		return;
	batch_close(node->inherited);
	free(node->inherited);
	node->inherited = NULL;
}

static void put_inherited(struct node *node)
{
	struct batch *from = node->inherited;
	uint32_t views;
	while ((views = batch_group(from)) > 0 && batch_room(node->in) >= views) {
		batch_share(node->in, from, views);
		while (views-- > 0) {
			struct view view = batch_take(from);
			view_drop(&view);
		}
	}
	if (batch_empty(from))
		leaving_forget(node);
}

void leaving_put(struct run *run)
{
	run->inherits = false;
	buffer_release(&run->room);
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (!node->inherited)
			continue;
		if (!node->heir) /* else it leaves itself */
			put_inherited(node);
		run->inherits |= node->inherited != NULL;
	}
}

uint64_t leaving_records(const struct node *node)
{
	const struct batch *inherited = node->inherited;
	return inherited ? inherited->put.records - inherited->taken.records : 0;
}

uint64_t leaving_bytes(const struct node *node)
{
	const struct batch *inherited = node->inherited;
	return inherited ? inherited->put.bytes - inherited->taken.bytes : 0;
}

void leaving_close(struct run *run)
{
	buffer_release(&run->room);
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (!node->inherited)
			continue;
		node->in->put.records += leaving_records(node); /* it is lost in front of it */
		node->in->put.bytes += leaving_bytes(node);
		leaving_forget(node);
	}
}
