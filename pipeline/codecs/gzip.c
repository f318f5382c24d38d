/* gzip members (RFC 1952) by isa-l, which is several times faster than zlib at its levels 1 to 3.
 *
 * isa-l loses half its speed when it is fed 200 bytes at a time and none from 8 KiB on. So long pieces are fed where
 * they lie, and short ones are gathered in a staging block first: those are the only bytes that a codec copies.
 */

#include "pipeline/codecs/codec.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>

enum { STAGE_SIZE = 32 << 10, LONG_PIECE = 8 << 10 };

struct gzip {
	struct isal_zstream stream;
	uint8_t stage[STAGE_SIZE];
	uint32_t staged;
	size_t room;
	uint8_t level_memory[]; /* isa-l's, of the level's size */
};

static uint32_t level_size(unsigned level)
{
	static const uint32_t sizes[] = { 0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
		ISAL_DEF_LVL3_DEFAULT };
	assert(level >= 1 && level <= 3);
	return sizes[level];
}

/* isa-l names no bound for streams. A Huffman code of 286 symbols that fits its block needs at most 9 bits a literal; a
 * block holds 64 Ki of them or is the last one, and its header takes 328 bytes. Doubled where it costs nothing. */
static size_t gzip_bound(size_t most)
{
	return most + most / 8 + most / 64 + 2048;
}

static size_t gzip_cost(unsigned level, size_t usual)
{
	(void)usual;
	return sizeof(struct gzip) + level_size(level);
}

static void *gzip_create(unsigned level, size_t usual)
{
	(void)usual;
	struct gzip *gzip = calloc(1, sizeof(*gzip) + level_size(level));
	if (!gzip)
		return NULL;
	isal_deflate_init(&gzip->stream);
	gzip->stream.level = level;
	gzip->stream.level_buf = gzip->level_memory;
	gzip->stream.level_buf_size = level_size(level);
	gzip->stream.flush = NO_FLUSH;
	return gzip;
}

static void gzip_destroy(void *context)
{
	free(context);
}

/* The flag is set each time: a short frame, which isa-l makes in one go, leaves it at "without a header". */
static void gzip_begin(void *context, char *to, size_t room)
{
	struct gzip *gzip = context;
	assert(room <= UINT32_MAX);
	isal_deflate_reset(&gzip->stream);
	gzip->stream.gzip_flag = IGZIP_GZIP;
	gzip->stream.next_out = (uint8_t *)to;
	gzip->stream.avail_out = (uint32_t)room;
	gzip->stream.end_of_stream = 0;
	gzip->staged = 0;
	gzip->room = room;
}

static void deflate_piece(struct gzip *gzip, const uint8_t *data, uint32_t size, bool last)
{
	struct isal_zstream *stream = &gzip->stream;
	/* isa-l only reads what next_in points at. */
	stream->next_in = (uint8_t *)(uintptr_t)data;
	stream->avail_in = size;
	stream->end_of_stream = last;
	int result = isal_deflate(stream);
	assert(result == COMP_OK);
	assert(stream->avail_in == 0);
	assert(stream->avail_out > 0);
}

static void deflate_staged(struct gzip *gzip)
{
	if (gzip->staged > 0)
		deflate_piece(gzip, gzip->stage, gzip->staged, false);
	gzip->staged = 0;
}

static void gzip_feed(void *context, const char *data, size_t size, struct copies *copies)
{
	struct gzip *gzip = context;
	assert(size <= UINT32_MAX);
	if (!copies && size < LONG_PIECE) {
		deflate_piece(gzip, (const uint8_t *)data, (uint32_t)size, true);
		return;
	}
	if (size >= LONG_PIECE || size > STAGE_SIZE - gzip->staged)
		deflate_staged(gzip);
	if (size >= LONG_PIECE) {
		deflate_piece(gzip, (const uint8_t *)data, (uint32_t)size, false);
		return;
	}
	payload_copy((char *)gzip->stage + gzip->staged, data, size, COPY_STAGE, copies);
	gzip->staged += (uint32_t)size;
}

static size_t gzip_finish(void *context)
{
	struct gzip *gzip = context;
	if (!gzip->stream.end_of_stream)
		deflate_piece(gzip, gzip->stage, gzip->staged, true);
	assert(gzip->stream.internal_state.state == ZSTATE_END);
	return gzip->room - gzip->stream.avail_out;
}

const struct codec codec_gzip = {
	.name = "gzip",
	.copies_why = "stage: pieces of less than 8KiB, once",
	.bound = gzip_bound,
	.cost = gzip_cost,
	.create = gzip_create,
	.destroy = gzip_destroy,
	.begin = gzip_begin,
	.feed = gzip_feed,
	.finish = gzip_finish,
};
