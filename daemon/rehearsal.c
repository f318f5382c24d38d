/* Rehearsals. Actors take the place of the types of nodes: each has its type in front, and its role behind it. */
#include "daemon/rehearsal.h"

#include "config/memory.h"
#include "pipeline/engine.h"
#include "pipeline/flow/record.h"
#include "pipeline/io/gather.h"
#include "pipeline/io/loop.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOUR_MS = 60 * 60 * 1000,
	LAST_TIMER_MS = 24 * HOUR_MS, /* every timer of a stage is shorter */
	PATIENCE_MS = 30 * HOUR_MS    /* by then all has ended */
};

/* --- the source --------------------------------------------------------------------------------------------------- */

struct giver {
	struct source_ops ops;
	const struct node_type *played;
	const struct trial_flow *flow; /* NULL: it gives nothing */
	size_t chunk, offset;
	struct buffer *buffer;
	bool datagrams, refused;
	uint64_t end; /* when the streams end; 0: not said yet */
};

static struct giver *giver_of(const struct node *node)
{
	return (struct giver *)(uintptr_t)node->type;
}

static bool giver_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct giver *giver = giver_of(node);
	const bool good = giver->played->plan(node, in, out, faults);

	giver->datagrams = out->max_record > 0;
	return good;
}

static void giver_close(struct node *node)
{
	struct giver *giver = giver_of(node);

	buffer_release(&giver->buffer);
	if (giver->played->close)
		giver->played->close(node);
}

static void giver_refuse(struct node *node, uint32_t stream)
{
	(void)stream;
	giver_of(node)->refused = true;
}

/* Puts what of a chunk fits into a buffer. False if there is no room now. */
static bool put_piece(struct node *node, struct batch *out, const struct bytes *chunk)
{
	struct giver *giver = giver_of(node);
	size_t size = chunk->size - giver->offset;

	if (!giver->buffer || buffer_room(giver->buffer) == 0) {
		buffer_release(&giver->buffer);
		giver->buffer = pool_take(node->pool);
	}
	if (!giver->buffer || batch_room(out) == 0)
		return false;
	if (size > buffer_room(giver->buffer))
		size = buffer_room(giver->buffer);
	memcpy(buffer_end(giver->buffer), chunk->data + giver->offset, size);
	struct view view = view_publish(giver->buffer, (uint32_t)size);
	giver->offset += size;
	node->account.received += size;
	view.tag = node->first_stream;
	if (giver->datagrams && giver->offset == chunk->size)
		view.tag |= VIEW_END;
	const bool put = batch_put(out, &view);
	assert(put);
	return true;
}

/* All timers pass, then the stream ends. */
static void end_stream(struct node *node, struct batch *out)
{
	struct giver *giver = giver_of(node);
	struct view end = { .tag = node->first_stream | VIEW_END };

	buffer_release(&giver->buffer);
	if (giver->end == 0)
		giver->end = node_now(node) + LAST_TIMER_MS;
	node->due = giver->end;
	if (node_now(node) < giver->end || (!giver->datagrams && !batch_put(out, &end)))
		return;
	node->due = 0;
	node->ended = true;
}

/* One chunk a call: what comes together is looked at together. */
static void giver_read(struct node *node, struct batch *out)
{
	struct giver *giver = giver_of(node);

	if (!giver->flow || giver->refused || giver->chunk == giver->flow->count) {
		end_stream(node, out);
		return;
	}
	const struct bytes *chunk = &giver->flow->items[giver->chunk];
	while (giver->offset < chunk->size)
		if (!put_piece(node, out, chunk))
			return;
	giver->chunk++;
	giver->offset = 0;
}

static const struct trial_flow *find_flow(const struct trial *trial, const char *node)
{
	for (size_t i = 0; i < trial->in_count; i++)
		if (strcmp(trial->in[i].node, node) == 0)
			return &trial->in[i];
	return NULL;
}

static void cast_source(const struct rehearsal *rehearsal, struct node *node)
{
	const struct source_ops *played = source_ops(node);
	struct giver *giver = document_allocate(rehearsal->trial->value->document, sizeof(*giver));

	*giver = (struct giver){ .ops = *played,
		.played = &played->type,
		.flow = find_flow(rehearsal->trial, node->name) };
	giver->ops.type.plan = giver_plan;
	giver->ops.type.open = NULL;
	giver->ops.type.close = giver_close;
	giver->ops.type.halt = NULL;
	giver->ops.read = giver_read;
	giver->ops.refuse = giver_refuse;
	giver->ops.drain = NULL;
	giver->ops.note = NULL;
	giver->ops.commit = NULL;
	giver->ops.rest = NULL;
	node->type = &giver->ops.type;
}

/* --- what compresses ---------------------------------------------------------------------------------------------- */

static bool passer_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)node;
	(void)faults;
	*out = *in;
	return true;
}

static void passer_process(struct node *node, struct batch *in, struct batch *out)
{
	(void)node;
	for (uint32_t count; (count = batch_group(in)) > 0 && batch_room(out) >= count;) {
		batch_share(out, in, count);
		while (count-- > 0) {
			struct view view = batch_take(in);
			view_drop(&view);
		}
	}
}

static void cast_stage(const struct rehearsal *rehearsal, struct node *node)
{
	if (strcmp(node->type->name, "compress") != 0)
		return;
	struct stage_ops *passer =
		document_allocate(rehearsal->trial->value->document, sizeof(*passer));
	passer->type = *node->type;
	passer->type.plan = passer_plan;
	passer->type.open = NULL;
	passer->type.halt = NULL;
	passer->process = passer_process;
	node->type = &passer->type;
}

/* --- the sink ----------------------------------------------------------------------------------------------------- */

struct gatherer {
	struct sink_ops ops;
	const struct node_type *played;
	struct gathered *gathered;
	struct gather gather;
	struct scratch scratch;
	uint64_t max_record;
};

static struct gatherer *gatherer_of(const struct node *node)
{
	return (struct gatherer *)(uintptr_t)node->type;
}

static bool gatherer_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)out;
	(void)faults;
	gatherer_of(node)->max_record = in->max_record;
	return true;
}

static bool gatherer_open(struct node *node, struct faults *faults)
{
	struct gatherer *gatherer = gatherer_of(node);

	if (gather_open(&gatherer->gather) &&
		scratch_open(&gatherer->scratch, gatherer->max_record + 1))
		return true;
	return fault_at(faults, NULL, NULL, "%s: not enough memory", node->name);
}

static void gatherer_close(struct node *node)
{
	struct gatherer *gatherer = gatherer_of(node);

	gather_close(&gatherer->gather);
	scratch_close(&gatherer->scratch);
	if (gatherer->played->close)
		gatherer->played->close(node);
}

static void add_bytes(struct gathered *gathered, const char *data, size_t size)
{
	if (gathered->room - gathered->size < size) {
		gathered->room = 2 * (gathered->size + size);
		gathered->data = memory_needed(realloc(gathered->data, gathered->room));
	}
	if (size > 0)
		memcpy(gathered->data + gathered->size, data, size);
	gathered->size += size;
}

static void add_end(struct gathered *gathered)
{
	if (gathered->end_count == gathered->end_room) {
		gathered->end_room = 2 * gathered->end_room + 16;
		gathered->ends = memory_needed(
			reallocarray(gathered->ends, gathered->end_room, sizeof(*gathered->ends)));
	}
	gathered->ends[gathered->end_count++] = gathered->size;
}

/* As a stream: what a file would hold. */
static void write_stream(struct node *node, struct batch *in)
{
	struct gatherer *gatherer = gatherer_of(node);
	uint64_t bytes;

	while ((bytes = gather_fill(&gatherer->gather, in, node->framing, UINT64_MAX)) > 0) {
		for (uint32_t i = 0; i < gatherer->gather.count; i++)
			add_bytes(gatherer->gathered, gatherer->gather.pieces[i].iov_base,
				gatherer->gather.pieces[i].iov_len);
		gather_written(&gatherer->gather, in, bytes);
	}
}

/* Takes the first record, of `whole` bytes, out of the batch. */
static void take_record(struct batch *in, uint64_t whole)
{
	for (bool ends = false; !ends;) {
		const struct view *first = batch_peek(in, 0);
		if (view_records(first) > 1) {
			batch_advance(in, (uint32_t)whole, 1);
			return;
		}
		ends = view_records(first) == 1;
		whole -= first->size;
		struct view view = batch_take(in);
		view_drop(&view);
	}
}

/* Record by record, without delimiters and prefixes. */
static void write_datagrams(struct node *node, struct batch *in)
{
	struct gatherer *gatherer = gatherer_of(node);
	struct record record;

	while (record_first(in, node->framing, &gatherer->scratch, &record)) {
		add_bytes(gatherer->gathered, record.data, record.size);
		add_end(gatherer->gathered);
		take_record(in, record.whole);
	}
}

static void gatherer_write(struct node *node, struct batch *in)
{
	if (gatherer_of(node)->gathered->apart && in->kind == FLOW_RECORDS)
		write_datagrams(node, in);
	else
		write_stream(node, in);
	node->safe = in->taken.views;
}

static bool sends_datagrams(const struct node *node)
{
	const struct value *type = value_member(node->value, "type");

	return strcmp(node->type->name, "udp") == 0 ||
	       (type && type->kind == VALUE_STRING && strcmp(type->text, "datagram") == 0);
}

static void cast_sink(struct rehearsal *rehearsal, struct node *node)
{
	const struct document *document = rehearsal->trial->value->document;
	struct gatherer *gatherer = document_allocate(document, sizeof(*gatherer));
	struct gathered *gathered = &rehearsal->sinks[rehearsal->sink_count++];

	*gathered = (struct gathered){ .node = node->name, .apart = sends_datagrams(node) };
	*gatherer = (struct gatherer){ .played = node->type, .gathered = gathered };
	gatherer->ops.type = *node->type;
	gatherer->ops.type.plan = gatherer_plan;
	gatherer->ops.type.open = gatherer_open;
	gatherer->ops.type.close = gatherer_close;
	gatherer->ops.type.halt = NULL;
	gatherer->ops.write = gatherer_write;
	node->type = &gatherer->ops.type;
}

/* --- the play ----------------------------------------------------------------------------------------------------- */

static void cast(void *context, struct node *node)
{
	struct rehearsal *rehearsal = context;

	if (node->role == NODE_SOURCE)
		cast_source(rehearsal, node);
	else if (node->role == NODE_STAGE)
		cast_stage(rehearsal, node);
	else if (node->role == NODE_SINK)
		cast_sink(rehearsal, node);
}

/* Turns until all has ended. False if it does not. */
static bool turn_to_the_end(struct engine *engine)
{
	const uint64_t limit = engine_now(engine) + PATIENCE_MS;

	while (!engine_finished(engine) && engine_now(engine) < limit)
		engine_turn(engine, HOUR_MS);
	return engine_finished(engine);
}

static void tell_losses(FILE *out, const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node_report report;
		report_node(pipeline->nodes[i], &report);
		for (unsigned reason = 0; reason < DROP_REASONS; reason++)
			if (report.account.dropped[reason] > 0)
				fprintf(out, "%s dropped %" PRIu64 " (%s)\n",
					pipeline->nodes[i]->name, report.account.dropped[reason],
					drop_reason_name(reason));
	}
}

static void keep_losses(struct rehearsal *rehearsal, const struct plan *plan)
{
	size_t size;
	FILE *out = memory_text_open(&rehearsal->losses, &size);

	tell_losses(out, plan->pipelines[0]);
	memory_text_close(out);
}

static bool play(
	struct rehearsal *rehearsal, struct plan *plan, struct loop *loop, struct faults *faults)
{
	struct engine *engine;

	for (size_t i = 0; i < plan->count; i++)
		plan->pipelines[i]->worker = i > 0; /* one shard is enough */
	engine = engine_create(plan, 0, loop, NULL, NULL);
	if (!engine)
		return fault_at(faults, NULL, NULL, "not enough memory");
	bool good = engine_open(engine, faults);
	if (good && !turn_to_the_end(engine))
		good = fault_at(faults, NULL, NULL, "it does not come to an end");
	if (good)
		keep_losses(rehearsal, plan);
	engine_destroy(engine);
	return good;
}

static bool play_alone(struct rehearsal *rehearsal, struct plan *plan, struct faults *faults)
{
	const char *why = NULL;
	struct loop *loop = loop_create(LOOP_EPOLL, &why);

	if (!loop)
		return fault_at(faults, NULL, NULL, "cannot make a loop: %s", why);
	loop_pass_time(loop);
	const bool good = play(rehearsal, plan, loop, faults);
	loop_destroy(loop);
	return good;
}

static size_t count_nodes(const struct plan *plan, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->pipelines[i]->name, name) == 0)
			count += plan->pipelines[i]->node_count;
	return count;
}

bool rehearsal_run(struct rehearsal *rehearsal, const struct plan *plan, const struct trial *trial,
	struct faults *faults)
{
	const struct pipeline *model = trial->pipeline;
	const struct budget budget = { .pipeline = model->name,
		.memory = model->buffers * pool_buffer_cost(model->buffer_size) + model->charges,
		.allowance = model->allowance };

	*rehearsal = (struct rehearsal){ .trial = trial };
	rehearsal->sinks = memory_needed(
		calloc(count_nodes(plan, model->name) + 1, sizeof(*rehearsal->sinks)));
	struct plan *own = plan_create_cast(plan->document, &budget, cast, rehearsal, faults);
	const bool good = own && play_alone(rehearsal, own, faults);
	plan_destroy(own);
	return good;
}

const struct gathered *rehearsal_find(const struct rehearsal *rehearsal, const char *node)
{
	size_t at = 0;

	while (strcmp(rehearsal->sinks[at].node, node) != 0)
		at++;
	return &rehearsal->sinks[at];
}

void rehearsal_close(struct rehearsal *rehearsal)
{
	for (size_t i = 0; i < rehearsal->sink_count; i++) {
		free(rehearsal->sinks[i].data);
		free(rehearsal->sinks[i].ends);
	}
	free(rehearsal->sinks);
	free(rehearsal->losses);
	*rehearsal = (struct rehearsal){ 0 };
}
