/* The bytes of a stream: told what they are, decoded, or given up. */

#include "pipeline/stages/decompress.h"

#include <assert.h>
#include <inttypes.h>

enum { RATIO_FROM = 1 << 20 /* bytes of output from which on the ratio is looked at */ };

static bool is_told(const struct stream *stream)
{
	return stream->matched > 0 && stream->matched == decompress_magics[stream->magic].size;
}

/* What is wrong with a stream is counted and said; its rest is discarded. */
static void give_up(
	struct node *node, struct stream *stream, enum drop_reason reason, const char *why)
{
	struct decompress *decompress = node->state;
	decompress_slot_return(stream);
	stream->mode = DISCARD;
	node->account.found++;
	node_drop(node, reason, 1);
	node_log_gated(node, &decompress->gate, LOG_LEVEL_WARNING,
		"a stream is %s behind %" PRIu64 " bytes: %s; the rest of it is discarded",
		drop_reason_name(reason), stream->in, why);
}

void decompress_damage(struct node *node, struct stream *stream, const char *why)
{
	give_up(node, stream, DROP_DAMAGED, why);
}

/* The magic is fed from where it is known: it may have come in pieces. */
static void begin_frame(struct node *node, struct stream *stream)
{
	const struct decompress *decompress = node->state;
	const struct magic *magic = &decompress_magics[stream->magic];
	bool skippable = magic->codec == SKIPPABLE;
	enum codec codec = skippable && decompress->codec == LZ4 ? LZ4
			   : skippable                           ? ZSTD
								 : (enum codec)magic->codec;
	stream->slot = decompress_slot_lend(decompress, codec);
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
	decompress_slot_return(stream);
	stream->mode = TELL;
	stream->begun = true;
	stream->matched = 0;
}

bool decompress_put_magic(struct stream *stream, uint32_t number, struct batch *out)
{
	struct view view = view_of_static(decompress_magics[stream->magic].bytes, stream->matched);
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
		decompress_damage(node, stream, "what follows is no frame");
	} else if (decompress->codec != AUTO) {
		decompress_damage(node, stream, "it does not begin with a frame");
	} else {
		if (!decompress_put_magic(stream, number, out))
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
	for (; at < view->size && (matched == 0 || matched < decompress_magics[magic].size); at++) {
		magic = decompress_magic((enum codec)decompress->codec, matched ? magic : 0,
			matched, view->data[at]);
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
		decompress_damage(node, stream, "what follows is no frame");
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
	/* An end without bytes has no place, but there may be more to come of what was read before. */
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
		decompress_damage(node, stream, at.why);
	else if (is_bomb(decompress, stream))
		decompress_damage(node, stream, "it grows by more than max_ratio");
	else if (decoded == DECODED_FRAME)
		end_frame(stream);
	else if (at.in_size == 0 && at.out_size > 0)
		return NEEDS_INPUT;
	return GOES_ON;
}

bool decompress_consume(
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
