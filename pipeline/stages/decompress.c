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

#include "config/units.h"
#include "pipeline/codecs/decoder.h"
#include "pipeline/node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MAGIC_SIZE = 4,
	CONTEXT_ALIGNMENT = 64,
	RATIO_FROM = 1 << 20, /* bytes of output from which on the ratio is looked at */
	WINDOW = 8 << 20,
	WINDOW_BEHIND_LISTENERS = 1 << 20
};

enum codec { AUTO, ZSTD, GZIP, LZ4, CODECS, SKIPPABLE };

enum mode {
	TELL,    /* what comes next is not known yet */
	FRAME,   /* within a frame */
	PLAIN,   /* not compressed */
	ZEROS,   /* behind a gzip member, as on a tape: allowed up to the end */
	DISCARD, /* damaged */
};

/* A context's memory. */
struct slot {
	const struct decoder *decoder; /* that it was last made for */
	void *memory, *context;
	bool lent;
};

struct stream {
	uint64_t in, out; /* bytes, of all its frames */
	struct slot *slot;
	enum mode mode;
	uint8_t magic, matched; /* bytes of a magic that it stands behind */
	bool begun, was_gzip;   /* a frame came before; it was a gzip member */
};

struct decompress {
	unsigned codec;
	uint64_t max_ratio, max_window;

	uint64_t window; /* max_window, or what is usual */
	struct slot *slots;
	uint32_t slot_count;
	struct stream *streams;
	uint32_t stream_count;
	struct buffer *buffer; /* what comes out next goes behind what is published */
	uint32_t at;           /* bytes of the first view that are done with */
	struct log_gate gate;
};

static const char *const codecs[] = {
	[AUTO] = "auto", [ZSTD] = "zstd", [GZIP] = "gzip", [LZ4] = "lz4", NULL
};

static const struct decoder *const decoders[CODECS] = {
	[ZSTD] = &decoder_zstd, [GZIP] = &decoder_gzip, [LZ4] = &decoder_lz4
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

/* Magics */

static const struct magic {
	char bytes[MAGIC_SIZE];
	uint8_t size;
	uint8_t codec;
} magics[] = {
	{ { '\x28', '\xb5', '\x2f', '\xfd' }, 4, ZSTD },
	{ { '\x04', '\x22', '\x4d', '\x18' }, 4, LZ4 },
	{ { '\x1f', '\x8b', '\x08' }, 3, GZIP },
#define SKIPPABLE_MAGIC(digit)                                                                     \
	{                                                                                          \
		{ digit, '\x2a', '\x4d', '\x18' }, 4, SKIPPABLE                                    \
	}
	SKIPPABLE_MAGIC('\x50'),
	SKIPPABLE_MAGIC('\x51'),
	SKIPPABLE_MAGIC('\x52'),
	SKIPPABLE_MAGIC('\x53'),
	SKIPPABLE_MAGIC('\x54'),
	SKIPPABLE_MAGIC('\x55'),
	SKIPPABLE_MAGIC('\x56'),
	SKIPPABLE_MAGIC('\x57'),
	SKIPPABLE_MAGIC('\x58'),
	SKIPPABLE_MAGIC('\x59'),
	SKIPPABLE_MAGIC('\x5a'),
	SKIPPABLE_MAGIC('\x5b'),
	SKIPPABLE_MAGIC('\x5c'),
	SKIPPABLE_MAGIC('\x5d'),
	SKIPPABLE_MAGIC('\x5e'),
	SKIPPABLE_MAGIC('\x5f'),
#undef SKIPPABLE_MAGIC
};

enum { MAGICS = sizeof(magics) / sizeof(*magics) };

/* Frames to be skipped are zstd's and lz4's. */
static bool is_allowed(enum codec codec, const struct magic *magic)
{
	if (codec == AUTO || codec == magic->codec)
		return true;
	return magic->codec == SKIPPABLE && codec != GZIP;
}

static bool begin_alike(const struct magic *a, const struct magic *b, uint8_t size)
{
	for (uint8_t i = 0; i < size; i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	return true;
}

/* A magic that goes on with `byte` behind the first `matched` bytes of another; MAGICS: none. */
static uint8_t magic_extended(enum codec codec, uint8_t magic, uint8_t matched, char byte)
{
	for (unsigned i = 0; i < MAGICS; i++)
		if (is_allowed(codec, &magics[i]) && magics[i].bytes[matched] == byte &&
			begin_alike(&magics[i], &magics[magic], matched))
			return (uint8_t)i;
	return MAGICS;
}

static bool is_told(const struct stream *stream)
{
	return stream->matched > 0 && stream->matched == magics[stream->magic].size;
}

/* Contexts */

static size_t context_cost(const struct decompress *decompress)
{
	size_t most = 0;
	for (unsigned codec = ZSTD; codec < CODECS; codec++) {
		size_t cost = decoders[codec]->cost(decompress->window);
		if ((decompress->codec == AUTO || decompress->codec == codec) && cost > most)
			most = cost;
	}
	return (most + CONTEXT_ALIGNMENT - 1) / CONTEXT_ALIGNMENT * CONTEXT_ALIGNMENT;
}

/* One that was made for this decoder, or any that is free. */
static struct slot *slot_find(const struct decompress *decompress, const struct decoder *decoder)
{
	struct slot *any = NULL;
	for (uint32_t i = 0; i < decompress->slot_count; i++) {
		struct slot *slot = &decompress->slots[i];
		if (!slot->lent && slot->decoder == decoder)
			return slot;
		if (!slot->lent)
			any = slot;
	}
	return any;
}

static struct slot *slot_lend(const struct decompress *decompress, const struct decoder *decoder)
{
	struct slot *slot = slot_find(decompress, decoder);
	if (!slot)
		return NULL;
	if (slot->decoder != decoder)
		slot->context = decoder->make(slot->memory, decompress->window);
	slot->decoder = decoder;
	slot->lent = true;
	decoder->begin(slot->context);
	return slot;
}

static void slot_return(struct stream *stream)
{
	if (stream->slot)
		stream->slot->lent = false;
	stream->slot = NULL;
}

/* Streams */

/* What is wrong with a stream is counted and said; its rest is discarded. */
static void give_up(
	struct node *node, struct stream *stream, enum drop_reason reason, const char *why)
{
	struct decompress *decompress = node->state;
	uint64_t missed;
	slot_return(stream);
	stream->mode = DISCARD;
	node->account.found++;
	node_drop(node, reason, 1);
	if (log_gate_open(&decompress->gate, node_now(node), &missed))
		node_log(node, LOG_LEVEL_WARNING,
			"a stream is %s behind %" PRIu64 " bytes: %s; the rest of it is discarded "
			"(%" PRIu64 " more since the last such line)",
			drop_reason_name(reason), stream->in, why, missed);
}

static void damage(struct node *node, struct stream *stream, const char *why)
{
	give_up(node, stream, DROP_DAMAGED, why);
}

/* The magic is fed from where it is known: it may have come in pieces. */
static void begin_frame(struct node *node, struct stream *stream)
{
	const struct decompress *decompress = node->state;
	const struct magic *magic = &magics[stream->magic];
	bool skippable = magic->codec == SKIPPABLE;
	unsigned codec = skippable && decompress->codec == LZ4 ? LZ4
			 : skippable                           ? ZSTD
							       : magic->codec;
	stream->slot = slot_lend(decompress, decoders[codec]);
	if (!stream->slot) {
		give_up(node, stream, DROP_MEMORY,
			"more streams are within a frame than the memory holds contexts for");
		return;
	}
	char spare[1];
	struct decoding at = {
		.in = magic->bytes, .in_size = magic->size, .out = spare, .out_size = 1
	};
	enum decoded decoded = stream->slot->decoder->decode(stream->slot->context, &at);
	assert(decoded == DECODED_SOME);
	assert(at.in_size == 0);
	assert(at.out_size == 1);
	stream->in += magic->size;
	stream->mode = FRAME;
	stream->was_gzip = codec == GZIP;
}

static void end_frame(struct stream *stream)
{
	slot_return(stream);
	stream->mode = TELL;
	stream->begun = true;
	stream->matched = 0;
}

/* The part of a magic that turned out to be none. False: out is full. */
static bool put_magic(struct stream *stream, uint32_t number, struct batch *out)
{
	struct view view = view_of_static(magics[stream->magic].bytes, stream->matched);
	view.tag = number;
	if (stream->matched > 0 && !batch_put(out, &view))
		return false;
	stream->matched = 0;
	return true;
}

/* No frame begins with `byte`. False: out is full. */
static bool heed_unknown(
	struct node *node, struct stream *stream, uint32_t number, char byte, struct batch *out)
{
	const struct decompress *decompress = node->state;
	if (stream->was_gzip && stream->matched == 0 && byte == 0) {
		stream->mode = ZEROS;
	} else if (stream->begun) {
		damage(node, stream, "what follows is no frame");
	} else if (decompress->codec != AUTO) {
		damage(node, stream, "it does not begin with a frame");
	} else {
		if (!put_magic(stream, number, out))
			return false;
		stream->mode = PLAIN;
	}
	return true;
}

/* Tells what comes next. False: out is full. */
static bool tell(
	struct node *node, struct stream *stream, const struct view *view, struct batch *out)
{
	struct decompress *decompress = node->state;
	uint8_t magic = stream->magic, matched = stream->matched;
	uint32_t at = decompress->at;
	for (; at < view->size && (matched == 0 || matched < magics[magic].size); at++) {
		magic = magic_extended(
			decompress->codec, matched ? magic : 0, matched, view->data[at]);
		if (magic == MAGICS)
			return heed_unknown(node, stream, view_stream(view), view->data[at], out);
		matched++;
	}
	decompress->at = at;
	stream->magic = magic;
	stream->matched = matched;
	if (is_told(stream))
		begin_frame(node, stream);
	return true;
}

static void skip_zeros(struct node *node, struct stream *stream, const struct view *view)
{
	struct decompress *decompress = node->state;
	while (decompress->at < view->size && view->data[decompress->at] == 0)
		decompress->at++;
	if (decompress->at < view->size)
		damage(node, stream, "what follows is no frame");
}

/* Output */

/* Too little room to be worth a call, or all its bytes are done with. */
static bool is_worn(const struct buffer *buffer)
{
	bool is_alone = buffer->holders == 1 && buffer->published > 0;
	return is_alone || buffer_room(buffer) < buffer->size / 8;
}

/* A current buffer with room; where the pool is empty, what little is left serves. False if there is none. */
static bool buffer_ready(struct node *node)
{
	struct decompress *decompress = node->state;
	const struct buffer *buffer = decompress->buffer;
	if (buffer &&
		(buffer_room(buffer) == 0 || (is_worn(buffer) && pool_available(node->pool) > 0)))
		buffer_release(&decompress->buffer);
	if (!decompress->buffer)
		decompress->buffer = pool_take(node->pool);
	return decompress->buffer != NULL;
}

static void put_made(struct node *node, uint32_t number, size_t size, struct batch *out)
{
	struct decompress *decompress = node->state;
	if (size == 0)
		return;
	struct view view = view_publish(decompress->buffer, (uint32_t)size);
	view.tag = number;
	bool put = batch_put(out, &view);
	assert(put);
}

static bool is_bomb(const struct decompress *decompress, const struct stream *stream)
{
	return stream->out > RATIO_FROM && stream->out / decompress->max_ratio > stream->in;
}

enum progress { GOES_ON, NEEDS_INPUT, NEEDS_ROOM };

static enum progress decode(
	struct node *node, struct stream *stream, const struct view *view, struct batch *out)
{
	struct decompress *decompress = node->state;
	if (batch_room(out) == 0 || !buffer_ready(node))
		return NEEDS_ROOM;
	uint32_t left = view->size - decompress->at, room = buffer_room(decompress->buffer);
	struct decoding at = { .in = left > 0 ? view->data + decompress->at : "",
		.in_size = left,
		.out = buffer_end(decompress->buffer),
		.out_size = room };
	enum decoded decoded = stream->slot->decoder->decode(stream->slot->context, &at);
	decompress->at = view->size - (uint32_t)at.in_size;
	stream->in += left - at.in_size;
	stream->out += room - at.out_size;
	put_made(node, view_stream(view), room - at.out_size, out);
	if (decoded == DECODED_BAD)
		damage(node, stream, at.why);
	else if (is_bomb(decompress, stream))
		damage(node, stream, "it grows by more than max_ratio");
	else if (decoded == DECODED_FRAME)
		end_frame(stream);
	else if (at.in_size == 0 && at.out_size > 0)
		return NEEDS_INPUT;
	return GOES_ON;
}

/* Does what can be done with the view. False: for more, room is needed. */
static bool consume(
	struct node *node, struct stream *stream, const struct view *view, struct batch *out)
{
	const struct decompress *decompress = node->state;
	while (stream->mode == FRAME || decompress->at < view->size) {
		enum progress progress = GOES_ON;
		if (stream->mode == PLAIN || stream->mode == DISCARD)
			return true;
		if (stream->mode == TELL && !tell(node, stream, view, out))
			return false;
		if (stream->mode == ZEROS)
			skip_zeros(node, stream, view);
		else if (stream->mode == FRAME)
			progress = decode(node, stream, view, out);
		if (progress != GOES_ON)
			return progress == NEEDS_INPUT;
	}
	return true;
}

/* Views */

static void forget(struct stream *stream)
{
	slot_return(stream);
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
		damage(node, stream, "it ends within a frame");
	if (open && unknown && !put_magic(stream, number, out))
		return false;
	struct view end = { .tag = last->tag };
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
	if (!consume(node, stream, view, out))
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
	size_t cost = context_cost(decompress);
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
			decompress->slot_count * (sizeof(struct slot) + context_cost(decompress));
	snprintf(node->how, sizeof(node->how), "%s, %u context%s for windows of up to %s",
		codecs[decompress->codec], decompress->slot_count,
		decompress->slot_count == 1 ? "" : "s", size_format(decompress->window, window));
	return true;
}

/* The memory of a context is touched as far as it is used. */
static bool slots_open(struct decompress *decompress)
{
	size_t size = context_cost(decompress);
	decompress->slots = calloc(decompress->slot_count, sizeof(*decompress->slots));
	if (!decompress->slots)
		return false;
	for (uint32_t i = 0; i < decompress->slot_count; i++) {
		decompress->slots[i].memory = aligned_alloc(CONTEXT_ALIGNMENT, size);
		if (!decompress->slots[i].memory)
			return false;
	}
	return true;
}

static bool decompress_open(struct node *node, struct faults *faults)
{
	struct decompress *decompress = node->state;
	decompress->streams = calloc(decompress->stream_count, sizeof(*decompress->streams));
	if (decompress->streams && slots_open(decompress))
		return true;
	return fault_at(faults, NULL, NULL, "%s: there is no memory for %u contexts", node->name,
		decompress->slot_count);
}

static void decompress_close(struct node *node)
{
	struct decompress *decompress = node->state;
	buffer_release(&decompress->buffer);
	for (uint32_t i = 0; decompress->slots && i < decompress->slot_count; i++)
		free(decompress->slots[i].memory);
	free(decompress->slots);
	free(decompress->streams);
	decompress->slots = NULL;
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
