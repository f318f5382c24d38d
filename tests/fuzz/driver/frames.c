/* Making frames. */

#include "tests/fuzz/driver/frames.h"

#include <assert.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
	MOST_CONTENT = 3 << 20,
	MOST = MOST_CONTENT + (64 << 10),
	MOST_FRAMES = 4,
	GZIP_WRAPPER = 16
};

static char made[MOST];
static size_t made_size;

/* One frame's content, which is flushed every so many bytes. */
struct content {
	const char *data;
	size_t size, step;
};

static size_t step_at(const struct content *content, size_t at)
{
	size_t left = content->size - at;

	return content->step && content->step < left ? content->step : left;
}

static void zstd_options(ZSTD_CCtx *context, uint8_t options)
{
	static const int levels[] = { 1, 3, -3, 6 };

	ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, levels[options & 3]);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, options >> 2 & 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, options >> 3 & 1);
	if (options & 0x10)
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, options & 0x20 ? 10 : 20);
}

static void make_zstd(const struct content *content, uint8_t options)
{
	static ZSTD_CCtx *context;
	size_t at = 0, result;

	if (!context)
		context = ZSTD_createCCtx();
	zstd_options(context, options);
	if (options & 0x40)
		ZSTD_CCtx_setPledgedSrcSize(context, content->size);
	do {
		size_t step = step_at(content, at);
		bool last = at + step == content->size;
		ZSTD_inBuffer in = { .src = content->data + at, .size = step };
		ZSTD_outBuffer out = { .dst = made, .size = MOST, .pos = made_size };
		result = ZSTD_compressStream2(context, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);
		assert(result == 0);
		made_size = out.pos;
		at += step;
	} while (at < content->size);
}

static void gzip_header(z_stream *stream, uint8_t options)
{
	static gz_header header;
	static Bytef extra[] = "ab\3\0xyz", name[] = "name", comment[] = "comment";

	header = (gz_header){ .hcrc = options >> 5 & 1, .os = 3, .text = options >> 4 & 1 };
	if (options & 0x10) {
		header.extra = extra;
		header.extra_len = sizeof(extra) - 1;
		header.name = name;
		header.comment = comment;
	}
	if (options & 0x30)
		deflateSetHeader(stream, &header);
}

static void make_gzip(const struct content *content, uint8_t options)
{
	static const int levels[] = { 1, 0, 6, 9 };
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE };
	z_stream stream = { .next_out = (Bytef *)made + made_size,
		.avail_out = (uInt)(MOST - made_size) };
	int result = deflateInit2(&stream, levels[options & 3], Z_DEFLATED, 15 + GZIP_WRAPPER, 8,
		strategies[options >> 2 & 3]);
	size_t at = 0;

	assert(result == Z_OK);
	gzip_header(&stream, options);
	do {
		size_t step = step_at(content, at);
		stream.next_in = (Bytef *)(uintptr_t)content->data + at;
		stream.avail_in = (uInt)step;
		at += step;
		result = deflate(&stream, at == content->size ? Z_FINISH
					  : options & 0x40    ? Z_BLOCK
							      : Z_FULL_FLUSH);
		assert(stream.avail_in == 0);
	} while (at < content->size);
	assert(result == Z_STREAM_END);
	made_size = MOST - stream.avail_out;
	deflateEnd(&stream);
}

static LZ4F_preferences_t lz4_options(uint8_t options, size_t size)
{
	return (LZ4F_preferences_t){
		.frameInfo = {
			.blockSizeID = (LZ4F_blockSizeID_t)(LZ4F_max64KB + (options & 3)),
			.blockMode = options & 4 ? LZ4F_blockIndependent : LZ4F_blockLinked,
			.contentChecksumFlag = options & 8 ? LZ4F_contentChecksumEnabled
							   : LZ4F_noContentChecksum,
			.contentSize = options & 0x10 ? size : 0,
			.blockChecksumFlag = options & 0x20 ? LZ4F_blockChecksumEnabled
							    : LZ4F_noBlockChecksum,
		},
		.compressionLevel = options & 0x40 ? 9 : 0,
		.autoFlush = 1,
	};
}

static void make_lz4(const struct content *content, uint8_t options)
{
	static LZ4F_cctx *context;
	LZ4F_preferences_t preferences = lz4_options(options, content->size);
	size_t at = 0, size;

	if (!context)
		LZ4F_createCompressionContext(&context, LZ4F_VERSION);
	size = LZ4F_compressBegin(context, made + made_size, MOST - made_size, &preferences);
	for (; !LZ4F_isError(size) && at < content->size;) {
		size_t step = step_at(content, at);
		made_size += size;
		size = LZ4F_compressUpdate(context, made + made_size, MOST - made_size,
			content->data + at, step, NULL);
		at += step;
	}
	assert(!LZ4F_isError(size));
	made_size += size;
	size = LZ4F_compressEnd(context, made + made_size, MOST - made_size, NULL);
	assert(!LZ4F_isError(size));
	made_size += size;
}

/* Four bytes of magic, four of size, and that many. */
static void make_skippable(const struct content *content, uint8_t options)
{
	size_t size = content->size < 300 ? content->size : 300;
	const uint8_t head[] = { (uint8_t)(0x50 | (options & 15)), 0x2a, 0x4d, 0x18, (uint8_t)size,
		(uint8_t)(size >> 8), 0, 0 };

	memcpy(made + made_size, head, sizeof(head));
	memcpy(made + made_size + sizeof(head), content->data, size);
	made_size += sizeof(head) + size;
}

static void make_frame(enum frame_kind kind, const struct content *content, uint8_t options)
{
	static void (*const makers[])(const struct content *, uint8_t) = {
		[FRAME_ZSTD] = make_zstd,
		[FRAME_GZIP] = make_gzip,
		[FRAME_LZ4] = make_lz4,
		[FRAME_SKIPPABLE] = make_skippable,
	};

	makers[kind](content, options);
}

/* Some of it again and again, so that a frame grows beyond what a ratio allows. */
static struct content repeated(const struct content *content, uint8_t times)
{
	static char all[MOST_CONTENT / MOST_FRAMES];
	size_t size = 0, wanted = content->size * (times == 2 ? 64 : 1000);

	if (times < 2 || content->size == 0)
		return *content;
	while (size < wanted && size + content->size <= sizeof(all)) {
		memcpy(all + size, content->data, content->size);
		size += content->size;
	}
	return (struct content){ .data = all, .size = size };
}

static void make_all(const uint8_t *recipe, const char *content, size_t size)
{
	unsigned count = 1 + (recipe[0] >> 2 & (MOST_FRAMES - 1));

	for (unsigned i = 0; i < count; i++) {
		struct content part = { .data = content + size * i / count,
			.size = size * (i + 1) / count - size * i / count,
			.step = recipe[7] };
		part = repeated(&part, recipe[0] & 3);
		make_frame((enum frame_kind)(recipe[1] >> (2 * i) & 3), &part,
			(uint8_t)(recipe[2] + i));
	}
}

enum { NO_DAMAGE, CHANGED, CUT_OFF, GARBAGE, ZEROS, ADDED, DAMAGES };

static void damage(const uint8_t *recipe)
{
	size_t place = (size_t)(recipe[4] | recipe[5] << 8), more = 1 + recipe[6] % 16;

	place = made_size > 0 ? place % made_size : 0;
	switch (recipe[3] % DAMAGES) {
	case CHANGED:
		made[place] = (char)(made[place] ^ recipe[6]);
		break;
	case CUT_OFF:
		made_size = place;
		break;
	case ADDED:
		made[place] = (char)(made[place] + 1);
		break;
	case GARBAGE:
	case ZEROS:
		memset(made + made_size, recipe[3] % DAMAGES == ZEROS ? 0 : recipe[4], more);
		made_size += more;
		break;
	default:
		break;
	}
}

struct frames frames_make(const uint8_t *recipe, const void *content, size_t size)
{
	made_size = 0;
	if ((recipe[0] & 3) == 0) {
		memcpy(made, content, size);
		made_size = size;
	} else {
		make_all(recipe, content, size);
	}
	damage(recipe);
	return (struct frames){ .data = made, .size = made_size };
}
