/* Handing over: a source changes pipelines as it is, with its sockets and files.
 *
 * The two nodes change places, and the one that was never opened ends with the old pipeline. What is unfinished in the
 * source's streams is copied into the new pool, and put in front of what the source reads next:
 *
 *     what split holds    what lies in front of it    what was carried before and is not put yet
 *
 * The second and third only where the old pipeline did not become quiet in time.
 */

#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>

struct handing {
	struct pipeline *old;
	struct run *to;
	size_t *matches; /* where the sources of `old` go on, by their places; SIZE_MAX: nowhere */
	const struct node *from; /* the stage that hands back */
	struct buffer *room;     /* of the new pool, where the next bytes go */
};

/* --- what is carried ----------------------------------------------------------------------------------------------- */

/* The place of the source that a stream belongs to. */
static size_t place_of(const struct pipeline *pipeline, uint32_t stream)
{
	const struct node *source = pipeline_source_of(pipeline, stream);
	size_t at = 0;
	while (pipeline->nodes[at] != source)
		at++;
	return at;
}

/* What cannot even be remembered is cut off. */
static void carry(struct handing *handing, struct carried *carried)
{
	struct run *run = handing->to;
	struct carried *more =
		reallocarray(run->carried, run->carried_count + 1, sizeof(*run->carried));
	if (!more) {
		view_drop(&carried->view);
		return;
	}
	run->carried = more;
	run->carried[run->carried_count++] = *carried;
}

static bool is_alike(const struct handing *handing, size_t match)
{
	const struct node *source = handing->to->pipeline->nodes[match];
	const struct node *consumer = edge_of(source->out)->consumer;
	return handing->from && node_says_the_same(handing->from, consumer);
}

static void carry_passed(
	struct handing *handing, size_t match, uint32_t stream, const struct passed *passed)
{
	struct carried carried = { .stream = stream, .passed = *passed };
	carried.alike = is_alike(handing, match);
	carry(handing, &carried);
}

/* Bytes go into what is left of the buffer at hand, or a fresh one. False: there is none. */
static bool carry_bytes(
	struct handing *handing, uint32_t stream, const struct view *view, struct copies *copies)
{
	struct pool *pool = handing->to->pipeline->pool;
	uint32_t done = 0;
	while (done < view->size) {
		if (!handing->room || buffer_room(handing->room) == 0) {
			buffer_release(&handing->room);
			handing->room = pool_take(pool);
		}
		if (!handing->room)
			return false;
		uint32_t room = buffer_room(handing->room), left = view->size - done;
		uint32_t part = left < room ? left : room;
		payload_copy(
			buffer_end(handing->room), view->data + done, part, COPY_ASIDE, copies);
		struct carried carried = { .stream = stream,
			.view = view_publish(handing->room, part) };
		carry(handing, &carried);
		done += part;
	}
	return true;
}

static void carry_end(struct handing *handing, uint32_t stream, uint32_t flags)
{
	struct carried carried = { .stream = stream, .view = view_of_static("", 0) };
	carried.view.tag = flags;
	carry(handing, &carried);
}

static void take_back(
	void *context, uint32_t stream, struct view *view, const struct passed *passed)
{
	static const struct passed lost = { .what = PASSING_LOST };
	struct handing *handing = context;
	size_t at = place_of(handing->old, stream), match = handing->matches[at];
	struct node *source = handing->old->nodes[at];
	uint32_t flags = view ? view->tag & (VIEW_END | VIEW_BROKEN) : 0;
	if (match != SIZE_MAX) {
		uint32_t number = handing->to->pipeline->nodes[match]->first_stream + stream -
				  source->first_stream;
		if (!view)
			carry_passed(handing, match, number, passed);
		else if (!carry_bytes(handing, number, view, &source->account.copies))
			carry_passed(handing, match, number, passed ? passed : &lost);
		if (flags)
			carry_end(handing, number, flags);
	}
	if (view)
		view_drop(view);
}

static void collect_from_stages(struct handing *handing)
{
	for (size_t i = 0; i < handing->old->node_count; i++) {
		struct node *node = handing->old->nodes[i];
		if (node->role != NODE_STAGE || !node->open || !stage_ops(node)->hand_back)
			continue;
		handing->from = node;
		stage_ops(node)->hand_back(node, take_back, handing);
	}
	handing->from = NULL;
}

/* In front of a sink nothing is taken: the kernel may be reading it. */
static void collect_from_edges(struct handing *handing)
{
	for (size_t i = 0; i < handing->old->edge_count; i++) {
		struct edge *edge = &handing->old->edges[i];
		if (edge->kind != FLOW_BYTES || edge->producer->role != NODE_SOURCE ||
			edge->consumer->role == NODE_SINK)
			continue;
		if (edge->batch.marked)
			batch_clear_mark(&edge->batch);
		while (!batch_empty(&edge->batch)) {
			struct view view = batch_take(&edge->batch);
			take_back(handing, view_stream(&view), &view, NULL);
		}
	}
}

static void collect_what_was_carried(struct handing *handing)
{
	struct run *run = handing->old->run;
	for (; run->carried_at < run->carried_count; run->carried_at++) {
		struct carried *carried = &run->carried[run->carried_at];
		struct view *view = carried->view.data ? &carried->view : NULL;
		take_back(handing, carried->stream, view, view ? NULL : &carried->passed);
	}
}

static void collect(struct handing *handing)
{
	collect_from_stages(handing);
	collect_from_edges(handing);
	collect_what_was_carried(handing);
	buffer_release(&handing->room);
}

/* --- sources ------------------------------------------------------------------------------------------------------- */

/* The open node goes on in the new pipeline. */
static void change_places(struct pipeline *old, size_t at, struct pipeline *next, size_t match)
{
	struct node *going = old->nodes[at], *staying = next->nodes[match];
	const struct node was = *going;
	old->nodes[at] = staying;
	next->nodes[match] = going;
	going->name = staying->name;
	going->pipeline = next;
	going->out = staying->out;
	going->first_stream = staying->first_stream;
	going->pin_quota = staying->pin_quota;
	going->charge = staying->charge;
	going->rested = going->finished = false;
	staying->name = was.name;
	staying->pipeline = old;
	staying->out = was.out;
	staying->first_stream = was.first_stream;
	staying->pool = was.pool;
	staying->loop = was.loop;
	staying->ended = true;
	staying->finished = was.finished;
}

static void repoint_edges(struct pipeline *pipeline, const struct node *was, struct node *is)
{
	for (size_t i = 0; i < pipeline->edge_count; i++)
		if (pipeline->edges[i].producer == was)
			pipeline->edges[i].producer = is;
}

static void move_sources(struct handing *handing)
{
	struct pipeline *old = handing->old, *next = handing->to->pipeline;
	for (size_t i = 0; i < old->node_count; i++) {
		size_t match = handing->matches[i];
		if (match == SIZE_MAX)
			continue;
		struct node *going = old->nodes[i], *staying = next->nodes[match];
		change_places(old, i, next, match);
		repoint_edges(old, going, staying);
		repoint_edges(next, staying, going);
	}
}

/* What failed to open has read nothing; what has ended may keep a buffer to receive into. */
static bool holds_nothing(struct node *source)
{
	return source->rested || source->pipeline->run->failed ||
	       (source->ended && source_ops(source)->rest(source, NULL));
}

/* All together, before any of them moves. */
static bool find_matches(struct handing *handing)
{
	const struct pipeline *old = handing->old;
	handing->matches = calloc(old->node_count, sizeof(*handing->matches));
	if (!handing->matches)
		return false;
	for (size_t i = 0; i < old->node_count; i++) {
		size_t match = change_match(old, i, handing->to->pipeline);
		handing->matches[i] =
			match != SIZE_MAX && holds_nothing(old->nodes[i]) ? match : SIZE_MAX;
	}
	return true;
}

bool engine_hand_over(struct pipeline *old, struct pipeline *next, struct faults *faults)
{
	struct run *run = run_create(old->engine, next);
	struct handing handing = { .old = old, .to = run };
	if (!run)
		return fault_at(faults, NULL, NULL, "%s: not enough memory", next->name);
	run->failed = true; /* until it is opened */
	if (!run_open_memory(run, faults) || !find_matches(&handing)) {
		bool gone = run_destroy(run, NULL);
		assert(gone);
		return false;
	}
	bool quiet = engine_is_quiet(old);
	collect(&handing);
	move_sources(&handing);
	free(handing.matches);
	if (!quiet || old->run->failed)
		leaving_begin(old, next);
	old->run->handed_over = true;
	old->run->resting = false;
	old->run->draining = true;
	old->run->ready = true;
	return true;
}

/* --- what was carried goes on -------------------------------------------------------------------------------------- */

/* Behind what was put before, and taken. */
static bool pass_over(const struct node *source, const struct carried *carried)
{
	struct node *consumer = edge_of(source->out)->consumer;
	if (consumer->role != NODE_STAGE || !stage_ops(consumer)->pass_over)
		return true;
	return batch_empty(source->out) && stage_ops(consumer)->pass_over(consumer, carried->stream,
						   &carried->passed, carried->alike);
}

bool carried_put(struct run *run)
{
	for (; run->carried_at < run->carried_count; run->carried_at++) {
		struct carried *carried = &run->carried[run->carried_at];
		struct node *source = pipeline_source_of(run->pipeline, carried->stream);
		if (!carried->view.data) {
			if (!pass_over(source, carried))
				return false;
			continue;
		}
		carried->view.tag |= carried->stream;
		if (!batch_put(source->out, &carried->view))
			return false;
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
