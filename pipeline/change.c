/* Changing what runs: pipelines are added, retired, and replaced by others that go on with their sources.
 *
 *     old:   rest ──▶ quiet ──▶ hand over ──▶ quiet ──▶ remove
 *                                   │ sources, and the unfinished bytes of their streams
 *     next:                         └──────────────────────▶ take over
 *
 * A source changes pipelines as it is, with its sockets and files: the two nodes change places, and the one that was
 * never opened ends with the old pipeline. What split holds of unfinished records is copied into the new pool.
 */

#include "pipeline/io/loop.h"
#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>

/* --- which sources go on ------------------------------------------------------------------------------------------- */

static const struct source_ops *source_ops(const struct node *node)
{
	return (const void *)node->type;
}

/* A stage that gives bytes for bytes (decompress) keeps a context for each stream, which cannot be handed over. */
static bool keeps_contexts(const struct node *node)
{
	return node->role == NODE_STAGE && edge_of(node->in)->kind == FLOW_BYTES &&
	       edge_of(node->out)->kind == FLOW_BYTES;
}

static bool leads_to_contexts(const struct node *node)
{
	const struct pipeline *pipeline = node->pipeline;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		const struct edge *edge = &pipeline->edges[i];
		if (node_feeds(node, edge) && (keeps_contexts(edge->consumer) ||
						      (edge->consumer->role != NODE_SINK &&
							      leads_to_contexts(edge->consumer))))
			return true;
	}
	return false;
}

/* The kind's value under its key: a bare name stands for no options. */
static bool says_the_same(const struct node *a, const struct node *b)
{
	return a->type == b->type && value_equal(a->value, b->value);
}

static bool may_go_on(const struct node *old, const struct node *next)
{
	return next->role == NODE_SOURCE && !next->open && source_ops(old)->rest && old->open &&
	       !old->ended && says_the_same(old, next) && old->stream_count == next->stream_count &&
	       !leads_to_contexts(old) && !leads_to_contexts(next);
}

/* The place in `next` of the source that is the same as `old`; SIZE_MAX: there is none. */
static size_t find_match(const struct node *old, const struct pipeline *next)
{
	for (size_t i = 0; i < next->node_count; i++)
		if (may_go_on(old, next->nodes[i]))
			return i;
	return SIZE_MAX;
}

/* --- resting ------------------------------------------------------------------------------------------------------- */

void engine_retire(struct pipeline *pipeline, uint64_t read_deadline)
{
	pipeline->run->watched = true;
	run_drain(pipeline->run, read_deadline);
}

void engine_rest(struct pipeline *pipeline, struct pipeline *next, uint64_t read_deadline)
{
	struct run *run = pipeline->run;
	run->watched = true;
	if (run->failed)
		return; /* nothing of it moves */
	run->resting = true;
	run->ready = true;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SOURCE && !node->ended &&
			find_match(node, next) == SIZE_MAX) {
			node->drains = true;
			source_drain(node, read_deadline);
		}
	}
}

static bool node_is_quiet(const struct node *node)
{
	if (node->finished)
		return true;
	if (node->role == NODE_SOURCE)
		return node->ended || node->rested;
	return batch_empty(node->in) && (node->role != NODE_STAGE || node->rested);
}

bool engine_is_quiet(const struct pipeline *pipeline)
{
	const struct run *run = pipeline->run;
	if (run->failed || run_is_over(run))
		return true;
	if (!run->resting || run->carried)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (!node_is_quiet(pipeline->nodes[i]))
			return false;
	return true;
}

/* --- handing over -------------------------------------------------------------------------------------------------- */

struct handing {
	struct run *to;
	struct pipeline *old;
	struct buffer *room; /* of the new pool, where the next bytes go */
	bool whole;          /* false: there was no memory for all of it */
};

/* The stream's number with the new pipeline; UINT32_MAX: its source does not go on. */
static uint32_t new_number(const struct pipeline *old, const struct pipeline *next, uint32_t stream)
{
	for (size_t i = 0; i < old->node_count; i++) {
		const struct node *node = old->nodes[i];
		if (node->role != NODE_SOURCE || stream < node->first_stream ||
			stream >= node->first_stream + node->stream_count)
			continue;
		size_t match = find_match(node, next);
		return match == SIZE_MAX
			       ? UINT32_MAX
			       : next->nodes[match]->first_stream + stream - node->first_stream;
	}
	return UINT32_MAX;
}

static bool carry(struct run *run, uint32_t stream, struct view *view)
{
	struct carried *more =
		reallocarray(run->carried, run->carried_count + 1, sizeof(*run->carried));
	if (!more)
		return false;
	run->carried = more;
	run->carried[run->carried_count++] = (struct carried){ .stream = stream, .view = *view };
	return true;
}

/* Into what is left of the buffer at hand, or a fresh one. */
static bool carry_piece(struct handing *handing, uint32_t stream, const char *data, uint32_t size,
	struct copies *copies)
{
	struct pool *pool = handing->to->pipeline->pool;
	while (size > 0) {
		if (!handing->room || buffer_room(handing->room) == 0) {
			buffer_release(&handing->room);
			handing->room = pool_take(pool);
		}
		if (!handing->room)
			return false;
		uint32_t room = buffer_room(handing->room), part = size < room ? size : room;
		payload_copy(buffer_end(handing->room), data, part, COPY_ASIDE, copies);
		struct view view = view_publish(handing->room, part);
		if (!carry(handing->to, stream, &view)) {
			view_drop(&view);
			return false;
		}
		data += part;
		size -= part;
	}
	return true;
}

static void take_back(void *context, uint32_t stream, struct view *view)
{
	struct handing *handing = context;
	uint32_t number = new_number(handing->old, handing->to->pipeline, stream);
	struct node *source = pipeline_source_of(handing->old, stream);
	if (number != UINT32_MAX && view && handing->whole)
		handing->whole = carry_piece(
			handing, number, view->data, view->size, &source->account.copies);
	if ((!view || !handing->whole) && number != UINT32_MAX)
		node_refuse_stream(source, stream);
	if (view)
		view_drop(view);
}

static void collect(struct handing *handing)
{
	struct run *old = handing->old->run;
	for (; old->carried_at < old->carried_count; old->carried_at++) {
		struct carried *carried = &old->carried[old->carried_at];
		take_back(handing, carried->stream, &carried->view);
	}
	for (size_t i = 0; i < handing->old->node_count; i++) {
		struct node *node = handing->old->nodes[i];
		const struct stage_ops *ops = (const void *)node->type;
		if (node->role == NODE_STAGE && node->open && ops->hand_back)
			ops->hand_back(node, take_back, handing);
	}
	buffer_release(&handing->room);
}

/* The two nodes change places: the open one goes on in the new pipeline. */
static void change_places(struct pipeline *old, size_t at, struct pipeline *next, size_t match)
{
	struct node *going = old->nodes[at], *staying = next->nodes[match];
	struct node was = *going;
	old->nodes[at] = staying;
	next->nodes[match] = going;
	going->name = staying->name;
	going->pipeline = next;
	going->out = staying->out;
	going->first_stream = staying->first_stream;
	going->pin_quota = staying->pin_quota;
	going->charge = staying->charge;
	going->rested = false;
	staying->name = was.name;
	staying->pipeline = old;
	staying->out = was.out;
	staying->first_stream = was.first_stream;
	staying->pool = was.pool;
	staying->loop = was.loop;
	staying->ended = true;
}

static void repoint_edges(struct pipeline *pipeline, const struct node *was, struct node *is)
{
	for (size_t i = 0; i < pipeline->edge_count; i++)
		if (pipeline->edges[i].producer == was)
			pipeline->edges[i].producer = is;
}

static void move_sources(struct pipeline *old, struct pipeline *next)
{
	for (size_t i = 0; i < old->node_count; i++) {
		struct node *going = old->nodes[i];
		size_t match = going->role == NODE_SOURCE ? find_match(going, next) : SIZE_MAX;
		if (match == SIZE_MAX)
			continue;
		struct node *staying = next->nodes[match];
		change_places(old, i, next, match);
		repoint_edges(old, going, staying);
		repoint_edges(next, staying, going);
	}
}

bool engine_hand_over(struct pipeline *old, struct pipeline *next, struct faults *faults)
{
	struct engine *engine = old->engine;
	struct run *run = run_create(engine, next);
	if (!run)
		return fault_at(faults, NULL, NULL, "%s: not enough memory", next->name);
	run->failed = true; /* until it is opened */
	if (!run_open_memory(run, faults))
		return run_destroy(run) && false;
	struct handing handing = { .to = run, .old = old, .whole = true };
	collect(&handing);
	move_sources(old, next);
	old->run->resting = false;
	old->run->draining = true;
	old->run->ready = true;
	return true;
}

bool engine_take_over(struct pipeline *pipeline, struct faults *faults)
{
	struct run *run = pipeline->run;
	run->failed = !run_open_nodes(run, faults);
	if (!run->failed && run->engine->draining)
		run_drain(run, loop_now(run->engine->loop));
	return !run->failed;
}

/* --- what was carried ---------------------------------------------------------------------------------------------- */

bool carried_put(struct run *run)
{
	while (run->carried_at < run->carried_count) {
		struct carried *carried = &run->carried[run->carried_at];
		struct node *source = pipeline_source_of(run->pipeline, carried->stream);
		carried->view.tag = carried->stream;
		if (!batch_put(source->out, &carried->view))
			return false;
		run->carried_at++;
	}
	return true;
}

void carried_close(struct run *run)
{
	for (; run->carried_at < run->carried_count; run->carried_at++)
		view_drop(&run->carried[run->carried_at].view);
	free(run->carried);
	run->carried = NULL;
	run->carried_count = run->carried_at = 0;
}

bool engine_runs(const struct pipeline *pipeline)
{
	return pipeline->run && !pipeline->run->failed;
}

/* --- adding and removing ------------------------------------------------------------------------------------------- */

bool engine_add(struct engine *engine, struct pipeline *pipeline, struct faults *faults)
{
	struct run *run = run_create(engine, pipeline);
	if (!run)
		return fault_at(faults, NULL, NULL, "%s: not enough memory", pipeline->name);
	if (run_open_memory(run, faults) && run_open_nodes(run, faults)) {
		if (engine->draining)
			run_drain(run, loop_now(engine->loop));
		return true;
	}
	bool gone = run_destroy(run);
	assert(gone);
	return false;
}

bool engine_remove(struct pipeline *pipeline)
{
	return run_destroy(pipeline->run);
}
