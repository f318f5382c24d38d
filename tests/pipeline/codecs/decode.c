/* One whole frame, decoded by each codec's own library; gzip by zlib, which did not make those of isa-l. */

#include "tests/pipeline/codecs/decode.h"

#include <assert.h>
#include <lz4frame.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static size_t decode_zstd(const char *frame, size_t size, char *content, size_t room)
{
	if (ZSTD_findFrameCompressedSize(frame, size) != size)
		return SIZE_MAX;
	size_t decoded = ZSTD_decompress(content, room, frame, size);
	return ZSTD_isError(decoded) ? SIZE_MAX : decoded;
}

static size_t decode_gzip(const char *frame, size_t size, char *content, size_t room)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)frame,
		.avail_in = (uInt)size,
		.next_out = (Bytef *)content,
		.avail_out = (uInt)room };
	int started = inflateInit2(&stream, 15 + 16);
	assert(started == Z_OK);
	int result = inflate(&stream, Z_FINISH);
	size_t decoded = room - stream.avail_out, left = stream.avail_in;
	inflateEnd(&stream);
	return result == Z_STREAM_END && left == 0 ? decoded : SIZE_MAX;
}

static size_t decode_lz4(const char *frame, size_t size, char *content, size_t room)
{
	LZ4F_dctx *stream;
	LZ4F_errorCode_t started = LZ4F_createDecompressionContext(&stream, LZ4F_VERSION);
	assert(!LZ4F_isError(started));
	size_t read = 0, decoded = 0, result;
	do {
		size_t in = size - read, out = room - decoded;
		result = LZ4F_decompress(stream, content + decoded, &out, frame + read, &in, NULL);
		read += in;
		decoded += out;
		if (in == 0 && out == 0)
			break;
	} while (result > 0 && !LZ4F_isError(result));
	LZ4F_freeDecompressionContext(stream);
	return result == 0 && read == size ? decoded : SIZE_MAX;
}

size_t decode_frame(const char *codec, const char *frame, size_t size, char *content, size_t room)
{
	if (strcmp(codec, "zstd") == 0)
		return decode_zstd(frame, size, content, room);
	if (strcmp(codec, "gzip") == 0)
		return decode_gzip(frame, size, content, room);
	assert(strcmp(codec, "lz4") == 0);
	return decode_lz4(frame, size, content, room);
}
