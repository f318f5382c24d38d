/* gzip members (RFC 1952) by zlib: the levels that isa-l does not have. */

#include "pipeline/codecs/codec.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_BITS = 15, GZIP_FORMAT = 16, MEMORY_LEVEL = 8 };

struct deflate {
	z_stream stream;
	size_t room;
};

/* A block that does not shrink is stored with 5 bytes for each 16,383; what deflateBound() promises for one call,
 * doubled. */
static size_t deflate_frame_bound(size_t most)
{
	return most + most / 1024 + 128;
}

/* As zconf.h tells it, and its state of under 8 KiB. */
static size_t deflate_cost(unsigned level, size_t usual)
{
	(void)level;
	(void)usual;
	return sizeof(struct deflate) + (1u << (WINDOW_BITS + 2)) + (1u << (MEMORY_LEVEL + 9)) +
	       8192;
}

static void *deflate_create(unsigned level, size_t usual)
{
	(void)usual;
	struct deflate *deflate = calloc(1, sizeof(*deflate));
	if (!deflate)
		return NULL;
	int result = deflateInit2(&deflate->stream, (int)level, Z_DEFLATED,
		WINDOW_BITS + GZIP_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
	if (result == Z_OK)
		return deflate;
	assert(result == Z_MEM_ERROR);
	free(deflate);
	return NULL;
}

/* deflateEnd() says Z_DATA_ERROR for a frame that was begun and is given up: no error here. */
static void deflate_destroy(void *context)
{
	struct deflate *deflate = context;
	if (!deflate)
		return;
	(void)deflateEnd(&deflate->stream);
	free(deflate);
}

static void deflate_begin(void *context, char *to, size_t room)
{
	struct deflate *deflate = context;
	assert(room <= UINT_MAX);
	int result = deflateReset(&deflate->stream);
	assert(result == Z_OK);
	deflate->stream.next_out = (Bytef *)to;
	deflate->stream.avail_out = (uInt)room;
	deflate->room = room;
}

static void deflate_feed(void *context, const char *data, size_t size, struct copies *copies)
{
	(void)copies;
	struct deflate *frame = context;
	assert(size <= UINT_MAX);
	if (size == 0)
		return;
	/* zlib only reads what next_in points at. */
	frame->stream.next_in = (Bytef *)(uintptr_t)data;
	frame->stream.avail_in = (uInt)size;
	int result = deflate(&frame->stream, Z_NO_FLUSH);
	assert(result == Z_OK);
	assert(frame->stream.avail_in == 0);
}

static size_t deflate_finish(void *context)
{
	struct deflate *frame = context;
	frame->stream.avail_in = 0;
	int result = deflate(&frame->stream, Z_FINISH);
	assert(result == Z_STREAM_END);
	return frame->room - frame->stream.avail_out;
}

const struct codec codec_deflate = {
	.name = "gzip",
	.copies_why = "",
	.bound = deflate_frame_bound,
	.cost = deflate_cost,
	.create = deflate_create,
	.destroy = deflate_destroy,
	.begin = deflate_begin,
	.feed = deflate_feed,
	.finish = deflate_finish,
};
