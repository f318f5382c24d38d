/* Decodes zstd frames (RFC 8878) and skips skippable ones, by libzstd.
 *
 * libzstd does not say what a call brought that ends in an error. Therefore no call gets more than one block, nor any
 * input while output of the one before is due: what was good has then always been told.
 */
#define ZSTD_STATIC_LINKING_ONLY /* The context in given memory, its estimate, the bound of windows. */

#include "pipeline/codecs/decoder.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { BLOCK_HEADER = 3 };

struct unzstd {
	ZSTD_DStream *stream;
	size_t hint;  /* the input that libzstd asks for: a block, and the next one's header */
	bool pending; /* output may be due */
	_Alignas(64) char memory[];
};

static size_t unzstd_cost(size_t max_window)
{
	return sizeof(struct unzstd) + ZSTD_estimateDStreamSize(max_window);
}

static void *unzstd_make(void *memory, size_t max_window)
{
	struct unzstd *unzstd = memory;
	uintptr_t misplaced = (uintptr_t)memory % _Alignof(struct unzstd);
	assert(misplaced == 0);
	unzstd->stream =
		ZSTD_initStaticDStream(unzstd->memory, ZSTD_estimateDStreamSize(max_window));
	assert(unzstd->stream);
	size_t result = ZSTD_DCtx_setMaxWindowSize(unzstd->stream, max_window);
	assert(!ZSTD_isError(result));
	return unzstd;
}

static void unzstd_begin(void *context)
{
	struct unzstd *unzstd = context;
	size_t result = ZSTD_DCtx_reset(unzstd->stream, ZSTD_reset_session_only);
	assert(!ZSTD_isError(result));
	unzstd->hint = 1;
	unzstd->pending = false;
}

static size_t step_size(const struct unzstd *unzstd, size_t left)
{
	size_t step = unzstd->hint > BLOCK_HEADER ? unzstd->hint - BLOCK_HEADER : unzstd->hint;
	if (unzstd->pending)
		return 0;
	return step < left ? step : left;
}

static const char *reason(size_t error)
{
	switch (ZSTD_getErrorCode(error)) {
	case ZSTD_error_frameParameter_windowTooLarge:
	case ZSTD_error_memory_allocation:
		return "its window is larger than max_window";
	default:
		return ZSTD_getErrorName(error);
	}
}

static enum decoded decode_step(struct unzstd *unzstd, struct decoding *at)
{
	ZSTD_inBuffer in = { .src = at->in, .size = step_size(unzstd, at->in_size) };
	ZSTD_outBuffer out = { .dst = at->out, .size = at->out_size };
	size_t result = ZSTD_decompressStream(unzstd->stream, &out, &in);
	if (ZSTD_isError(result)) {
		at->why = reason(result);
		return DECODED_BAD;
	}
	at->in += in.pos;
	at->in_size -= in.pos;
	at->out += out.pos;
	at->out_size -= out.pos;
	unzstd->hint = result;
	unzstd->pending = at->out_size == 0;
	return result == 0 ? DECODED_FRAME : DECODED_SOME;
}

static enum decoded unzstd_decode(void *context, struct decoding *at)
{
	struct unzstd *unzstd = context;
	enum decoded decoded;
	do
		decoded = decode_step(unzstd, at);
	while (decoded == DECODED_SOME && at->in_size > 0 && at->out_size > 0);
	return decoded;
}

const struct decoder decoder_zstd = {
	.name = "zstd",
	.cost = unzstd_cost,
	.make = unzstd_make,
	.begin = unzstd_begin,
	.decode = unzstd_decode,
};
