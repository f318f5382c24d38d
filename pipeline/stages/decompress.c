/* decompress: turns compressed streams back into what they were.
 *
 * Each stream is a row of frames, of one codec or of several; what they are is told by their first bytes. A stream that
 * begins with something else passes unchanged, in the buffers in which it came. What a decoder makes is written into
 * buffers of the pool that all streams share, as what is received is:
 *
 *     stream 3:  [ frame ][ frame ][ fra…      ─ context ─┐
 *     stream 7:  [ fram…                       ─ context ─┴─▶ current buffer ─▶ out
 *     stream 9:  plain text                    ─────────────────────────────▶ out
 *
 * A context is lent to a stream as long as it is within a frame. Damaged input delivers what is good before it; the rest
 * of its stream is discarded.
 */

#include "pipeline/stages/decompress.h"

#include "config/units.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW = 8 << 20, WINDOW_BEHIND_LISTENERS = 1 << 20 };

static const char *const codecs[] = {
	[AUTO] = "auto", [ZSTD] = "zstd", [GZIP] = "gzip", [LZ4] = "lz4", NULL
};

static const struct option options[] = {
	OPTION(CHOICE, struct decompress, codec, .primary = true, .choices = codecs,
		.doc = "The format of the frames. `auto` tells them by their first bytes; what is "
		       "none of them passes unchanged."),
	OPTION(COUNT, struct decompress, max_ratio, .standard = "1000", .least = "1",
		.most = "1000000000",
		.doc = "The most bytes that may come of one, over a stream of which more than 1MiB "
		       "has come; one that goes beyond counts as `damaged`."),
	OPTION(SIZE, struct decompress, max_window, .least = "64KiB", .most = "2GiB",
		.example = "8MiB",
		.doc = "The largest window (zstd) or block (lz4) of a frame: each stream's context "
		       "takes as much memory. Not set: 8MiB, behind listeners 1MiB."),
	OPTIONS_END,
};

static void forget(struct stream *stream)
{
	decompress_slot_return(stream);
	*stream = (struct stream){ 0 };
}

/* Moves the view on as it is. False: out is full. */
static bool pass(struct stream *stream, struct batch *in, struct batch *out)
{
	if (batch_room(out) == 0)
		return false;
	struct view view = batch_take(in);
	if (view.tag & (VIEW_END | VIEW_BROKEN))
		forget(stream);
	bool put = batch_put(out, &view);
	assert(put);
	return true;
}

/* The stream ends here. False: out is full. */
static bool end_stream(
	struct node *node, struct stream *stream, const struct view *last, struct batch *out)
{
	const struct decompress *decompress = node->state;
	uint32_t number = view_stream(last);
	bool open = stream->mode == FRAME || (stream->mode == TELL && stream->matched > 0);
	bool unknown = stream->mode == TELL && !stream->begun && decompress->codec == AUTO;
	if (open && !(last->tag & VIEW_BROKEN) && !unknown)
		decompress_damage(node, stream, "it ends within a frame");
	if (open && unknown && !decompress_put_magic(stream, number, out))
		return false;
	/* What came out before the damage may end within a record, which is not whole. */
	bool damaged = stream->mode == DISCARD;
	struct view end = { .tag = damaged ? number | VIEW_BROKEN : last->tag };
	if (!batch_put(out, &end))
		return false;
	forget(stream);
	return true;
}

/* Takes the first view, or begins to. False: out is full, or there is no buffer. */
static bool take_first(struct node *node, struct batch *in, struct batch *out)
{
	struct decompress *decompress = node->state;
	const struct view *view = batch_peek(in, 0);
	struct stream *stream = &decompress->streams[view_stream(view)];
	if (!decompress_consume(node, stream, view, out))
		return false;
	if (stream->mode == PLAIN)
		return pass(stream, in, out);
	if ((view->tag & (VIEW_END | VIEW_BROKEN)) && !end_stream(node, stream, view, out))
		return false;
	decompress->at = 0;
	struct view done = batch_take(in);
	view_drop(&done);
	return true;
}

static void decompress_process(struct node *node, struct batch *in, struct batch *out)
{
	while (batch_ready(in) > 0)
		if (!take_first(node, in, out))
			return;
}

/* Planning */

static uint32_t smaller(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* A context for each stream, as far as the memory goes; connections are none that it does not reach for. */
static bool plan_contexts(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct decompress *decompress = node->state;
	size_t cost = decompress_context_cost(decompress);
	assert(cost > 0);
	uint64_t most = node_context_memory(node) / cost;
	if (most == 0)
		most = 1;
	*out = *in;
	if (in->connections > most) {
		if (!node_lower_connections(node, (uint32_t)most,
			    "half of the memory holds the contexts of fewer streams to decompress",
			    faults))
			return false;
		out->connections = (uint32_t)most;
		out->streams -= in->connections - out->connections;
	}
	decompress->slot_count = smaller(out->streams, most);
	return true;
}

static bool decompress_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct decompress *decompress = node->state;
	char window[32];
	if (in->kind != FLOW_BYTES)
		return fault_at(faults, node->value, "put it before the split",
			"\"decompress\" needs the bytes of streams as they came");
	decompress->window = decompress->max_window ? decompress->max_window
			     : in->connections > 0  ? WINDOW_BEHIND_LISTENERS
						    : WINDOW;
	decompress->stream_count = node_stream_count(node);
	if (!plan_contexts(node, in, out, faults))
		return false;
	node->charge += decompress->stream_count * sizeof(struct stream) +
			decompress->slot_count *
				(sizeof(struct slot) + decompress_context_cost(decompress));
	snprintf(node->how, sizeof(node->how), "%s, %u context%s for windows of up to %s",
		codecs[decompress->codec], decompress->slot_count,
		decompress->slot_count == 1 ? "" : "s", size_format(decompress->window, window));
	return true;
}

static bool decompress_open(struct node *node, struct faults *faults)
{
	struct decompress *decompress = node->state;
	decompress->streams = calloc(decompress->stream_count, sizeof(*decompress->streams));
	if (decompress->streams && decompress_slots_open(decompress))
		return true;
	return node_fault(
		node, faults, NULL, "there is no memory for %u contexts", decompress->slot_count);
}

static void decompress_close(struct node *node)
{
	struct decompress *decompress = node->state;
	buffer_release(&decompress->buffer);
	decompress_slots_close(decompress);
	free(decompress->streams);
	decompress->streams = NULL;
}

const struct stage_ops stage_decompress = {
	.type = {
		.name = "decompress",
		.doc = "Turns compressed streams back into what they were. Damage costs a stream its "
		       "rest; an empty stream is none.",
		.options = options,
		.state_size = sizeof(struct decompress),
		.example = "{\"decompress\": {\"codec\": \"auto\", \"max_ratio\": 1000}}",
		.plan = decompress_plan,
		.open = decompress_open,
		.close = decompress_close,
	},
	.process = decompress_process,
};
