/* lz4 frames (the LZ4 frame format 1.6) of independent blocks of up to 256 KiB with a checksum of the content, by liblz4.
 *
 * Blocks that refer to each other let liblz4 take 64 KiB at a time without losing ratio, but where these do not follow each
 * other in memory it is a quarter slower, and copies each of them for the next one's sake. So pieces are gathered in a
 * staging block until they are worth a block of their own, and long ones are fed where they lie: that costs half a percent
 * of size.
 */

#include "pipeline/codecs/codec.h"

#include <assert.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
	LEAST_STAGE = 64 << 10,
	MOST_STAGE = 256 << 10,
	LONG_PIECE = 128 << 10,
	BLOCK_HEADER = 4,
	FRAME_END = 8,
	CONTEXT_SIZE = 1 << 10
};

struct lz4 {
	LZ4F_cctx *stream;
	LZ4F_preferences_t preferences;
	char *to;
	size_t room, size;
	size_t staged, stage_size;
	char stage[];
};

static size_t stage_size(size_t usual)
{
	if (usual < LEAST_STAGE)
		return LEAST_STAGE;
	return usual < MOST_STAGE ? usual : MOST_STAGE;
}

/* What an update is fed becomes blocks at once: liblz4 keeps nothing. */
static LZ4F_preferences_t preferences(unsigned level, size_t usual)
{
	bool small = stage_size(usual) == LEAST_STAGE;
	return (LZ4F_preferences_t){ .compressionLevel = (int)level,
		.autoFlush = 1,
		.frameInfo = { .blockSizeID = small ? LZ4F_max64KB : LZ4F_max256KB,
			.blockMode = LZ4F_blockIndependent,
			.contentChecksumFlag = LZ4F_contentChecksumEnabled } };
}

/* A block that does not shrink is stored. One that is shorter than the stage ends a long piece, or the frame; liblz4 wants
 * room for the frame's end in each update. */
static size_t lz4_bound(size_t most)
{
	size_t blocks = 2 * (most / LEAST_STAGE) + 2;
	return LZ4F_HEADER_SIZE_MAX + most + blocks * BLOCK_HEADER + FRAME_END;
}

static size_t lz4_cost(unsigned level, size_t usual)
{
	size_t tables = level < LZ4HC_CLEVEL_MIN ? sizeof(LZ4_stream_t) : sizeof(LZ4_streamHC_t);
	return sizeof(struct lz4) + stage_size(usual) + tables + CONTEXT_SIZE;
}

static void lz4_destroy(void *context)
{
	struct lz4 *lz4 = context;
	if (!lz4)
		return;
	LZ4F_freeCompressionContext(lz4->stream);
	free(lz4);
}

/* The first begin allocates tables; every later one finds them. */
static void *lz4_create(unsigned level, size_t usual)
{
	struct lz4 *lz4 = calloc(1, sizeof(*lz4) + stage_size(usual));
	if (!lz4)
		return NULL;
	lz4->stage_size = stage_size(usual);
	lz4->preferences = preferences(level, usual);
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
	lz4->staged = 0;
	advance(lz4, LZ4F_compressBegin(lz4->stream, to, room, &lz4->preferences));
}

static void compress_piece(struct lz4 *lz4, const char *data, size_t size)
{
	advance(lz4, LZ4F_compressUpdate(lz4->stream, lz4->to + lz4->size, lz4->room - lz4->size,
			     data, size, NULL));
}

static void compress_staged(struct lz4 *lz4)
{
	if (lz4->staged > 0)
		compress_piece(lz4, lz4->stage, lz4->staged);
	lz4->staged = 0;
}

static void lz4_feed(void *context, const char *data, size_t size, struct copies *copies)
{
	struct lz4 *lz4 = context;
	while (size > 0) {
		if (!copies || (lz4->staged == 0 && size >= LONG_PIECE)) {
			compress_piece(lz4, data, size);
			return;
		}
		size_t room = lz4->stage_size - lz4->staged, part = size < room ? size : room;
		payload_copy(lz4->stage + lz4->staged, data, part, COPY_STAGE, copies);
		lz4->staged += part;
		data += part;
		size -= part;
		if (lz4->staged == lz4->stage_size)
			compress_staged(lz4);
	}
}

static size_t lz4_finish(void *context)
{
	struct lz4 *lz4 = context;
	compress_staged(lz4);
	advance(lz4,
		LZ4F_compressEnd(lz4->stream, lz4->to + lz4->size, lz4->room - lz4->size, NULL));
	return lz4->size;
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.copies_why = "stage: pieces of less than 128KiB, once",
	.bound = lz4_bound,
	.cost = lz4_cost,
	.create = lz4_create,
	.destroy = lz4_destroy,
	.begin = lz4_begin,
	.feed = lz4_feed,
	.finish = lz4_finish,
};
