/* A source in a rehearsal: it gives the chunks of a trial, each as if it were received by itself. */
#include "daemon/rehearsal_actors.h"

#include "config/memory.h"
#include "pipeline/flow/batch.h"

#include <assert.h>
#include <string.h>

enum { LAST_TIMER_MS = 24 * 60 * 60 * 1000 /* every timer of a stage is shorter */ };

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

void rehearsal_source_cast(const struct rehearsal *rehearsal, struct node *node)
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
