/* Decoding by the codecs' own libraries, a byte at a time: what is good has then been told when an error comes. */

#include "tests/fuzz/driver/frames.h"

#include <assert.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_WRAPPER = 16 };

static int logarithm(size_t power)
{
	return power > 1 ? 1 + logarithm(power / 2) : 0;
}

/* One step of a library: reads at most a byte, writes what it can. */
struct step {
	const char *in;
	size_t in_size;
	char *out;
	size_t out_size;
};

static enum verdict step_zstd(void *context, struct step *step)
{
	ZSTD_inBuffer in = { .src = step->in, .size = step->in_size };
	ZSTD_outBuffer out = { .dst = step->out, .size = step->out_size };
	size_t result = ZSTD_decompressStream(context, &out, &in);

	if (ZSTD_isError(result))
		return FRAME_BAD;
	step->in_size -= in.pos;
	step->out_size -= out.pos;
	return result == 0 ? FRAME_GOOD : FRAME_OPEN;
}

static enum verdict step_gzip(void *context, struct step *step)
{
	z_stream *stream = context;
	int result;

	stream->next_in = (Bytef *)(uintptr_t)step->in;
	stream->avail_in = (uInt)step->in_size;
	stream->next_out = (Bytef *)step->out;
	stream->avail_out = (uInt)step->out_size;
	result = inflate(stream, Z_NO_FLUSH);
	step->in_size = stream->avail_in;
	step->out_size = stream->avail_out;
	if (result == Z_STREAM_END)
		return FRAME_GOOD;
	return result == Z_OK || result == Z_BUF_ERROR ? FRAME_OPEN : FRAME_BAD;
}

static enum verdict step_lz4(void *context, struct step *step)
{
	size_t in = step->in_size, out = step->out_size;
	size_t result = LZ4F_decompress(context, step->out, &out, step->in, &in, NULL);

	if (LZ4F_isError(result))
		return FRAME_BAD;
	step->in_size -= in;
	step->out_size -= out;
	return result == 0 ? FRAME_GOOD : FRAME_OPEN;
}

/* Byte by byte; without one more where output may be due. */
static struct reference decode(enum verdict (*take)(void *, struct step *), void *context,
	const char *data, size_t size, char *out, size_t room)
{
	struct reference reference = { .verdict = FRAME_OPEN };
	bool due = false;

	while (reference.verdict == FRAME_OPEN && (due || reference.used < size)) {
		size_t left = room - reference.size;
		struct step step = { .in = data + reference.used,
			.in_size = reference.used < size,
			.out = out + reference.size,
			.out_size = left };
		size_t given = step.in_size;
		if (left == 0) {
			reference.verdict = FRAME_LARGE;
			break;
		}
		reference.verdict = take(context, &step);
		reference.used += given - step.in_size;
		reference.size += left - step.out_size;
		due = step.out_size == 0;
	}
	return reference;
}

static struct reference decode_zstd(
	const char *data, size_t size, size_t window, char *out, size_t room)
{
	static ZSTD_DCtx *context;

	if (!context)
		context = ZSTD_createDCtx();
	ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, logarithm(window));
	return decode(step_zstd, context, data, size, out, room);
}

static struct reference decode_gzip(const char *data, size_t size, char *out, size_t room)
{
	z_stream stream = { 0 };
	int started = inflateInit2(&stream, 15 + GZIP_WRAPPER);

	assert(started == Z_OK);
	struct reference reference = decode(step_gzip, &stream, data, size, out, room);
	inflateEnd(&stream);
	return reference;
}

static struct reference decode_lz4(const char *data, size_t size, char *out, size_t room)
{
	LZ4F_dctx *context; /* a new one each time: a reset leaves something behind */

	LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
	struct reference reference = decode(step_lz4, context, data, size, out, room);
	LZ4F_freeDecompressionContext(context);
	return reference;
}

struct reference frames_decode(
	enum frame_kind kind, const char *data, size_t size, size_t window, char *out, size_t room)
{
	if (kind == FRAME_GZIP)
		return decode_gzip(data, size, out, room);
	if (kind == FRAME_LZ4)
		return decode_lz4(data, size, out, room);
	return decode_zstd(data, size, window, out, room);
}

bool frames_large_block(const char *data, size_t size, size_t window)
{
	enum { BLOCK_AT = 5 };
	static const char magic[] = "\x04\x22\x4d\x18";

	if (size <= BLOCK_AT || memcmp(data, magic, sizeof(magic) - 1) != 0)
		return false;
	unsigned id = (uint8_t)data[BLOCK_AT] >> 4 & 7;
	return (size_t)1 << (8 + 2 * id) > window;
}
