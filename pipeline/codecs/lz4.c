/* lz4 frames (the LZ4 frame format 1.6) of linked blocks of 64 KiB with a checksum of the content, by liblz4. */

#include "pipeline/codecs/codec.h"

#include <assert.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdlib.h>

enum { BLOCK_SIZE = 64 << 10, HISTORY = 128 << 10, CONTEXT_SIZE = 1 << 10 };

struct lz4 {
	LZ4F_cctx *stream;
	LZ4F_preferences_t preferences;
	char *to;
	size_t room, size;
};

static LZ4F_preferences_t preferences(unsigned level)
{
	return (LZ4F_preferences_t){ .compressionLevel = (int)level,
		.frameInfo = { .blockSizeID = LZ4F_max64KB,
			.blockMode = LZ4F_blockLinked,
			.contentChecksumFlag = LZ4F_contentChecksumEnabled } };
}

/* liblz4 wants room for a whole update before it starts, with a block that it may still hold. */
static size_t lz4_bound(size_t most)
{
	LZ4F_preferences_t any = preferences(1);
	return LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(most, &any) +
	       LZ4F_compressBound(BLOCK_SIZE, &any);
}

static size_t lz4_cost(unsigned level, size_t usual)
{
	(void)usual;
	size_t tables = level < LZ4HC_CLEVEL_MIN ? sizeof(LZ4_stream_t) : sizeof(LZ4_streamHC_t);
	return sizeof(struct lz4) + tables + BLOCK_SIZE + HISTORY + CONTEXT_SIZE;
}

static void lz4_destroy(void *context)
{
	struct lz4 *lz4 = context;
	if (!lz4)
		return;
	LZ4F_freeCompressionContext(lz4->stream);
	free(lz4);
}

/* The first begin allocates tables and buffers; every later one finds them. */
static void *lz4_create(unsigned level, size_t usual)
{
	(void)usual;
	struct lz4 *lz4 = calloc(1, sizeof(*lz4));
	if (!lz4)
		return NULL;
	lz4->preferences = preferences(level);
	char header[LZ4F_HEADER_SIZE_MAX];
	if (!LZ4F_isError(LZ4F_createCompressionContext(&lz4->stream, LZ4F_VERSION)) &&
		!LZ4F_isError(
			LZ4F_compressBegin(lz4->stream, header, sizeof(header), &lz4->preferences)))
		return lz4;
	lz4_destroy(lz4);
	return NULL;
}

static void advance(struct lz4 *lz4, size_t result)
{
	assert(!LZ4F_isError(result));
	lz4->size += result;
}

static void lz4_begin(void *context, char *to, size_t room)
{
	struct lz4 *lz4 = context;
	lz4->to = to;
	lz4->room = room;
	lz4->size = 0;
	advance(lz4, LZ4F_compressBegin(lz4->stream, to, room, &lz4->preferences));
}

static void lz4_feed(void *context, const char *data, size_t size, struct copies *copies)
{
	(void)copies;
	struct lz4 *lz4 = context;
	advance(lz4, LZ4F_compressUpdate(lz4->stream, lz4->to + lz4->size, lz4->room - lz4->size,
			     data, size, NULL));
}

static size_t lz4_finish(void *context)
{
	struct lz4 *lz4 = context;
	advance(lz4,
		LZ4F_compressEnd(lz4->stream, lz4->to + lz4->size, lz4->room - lz4->size, NULL));
	return lz4->size;
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.copies_why = "",
	.bound = lz4_bound,
	.cost = lz4_cost,
	.create = lz4_create,
	.destroy = lz4_destroy,
	.begin = lz4_begin,
	.feed = lz4_feed,
	.finish = lz4_finish,
};
