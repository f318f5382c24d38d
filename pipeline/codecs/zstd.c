/* zstd frames (RFC 8878) with a checksum of the content, by libzstd.
 *
 * The context lives in memory of exactly the size that libzstd estimates, so that it cannot grow. Tables and window are
 * chosen for the usual frame's size: without that hint level 19 would take 90 MiB for frames of 1 MiB. They are set one
 * by one, as libzstd would choose others, and larger ones, for a frame of which it is told the size.
 *
 * Of pieces libzstd copies each into its window. A frame that is fed whole is compressed from where it lies.
 */
#define ZSTD_STATIC_LINKING_ONLY /* The context in given memory, its estimate, the size hint. */

#include "pipeline/codecs/codec.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

struct zstd {
	ZSTD_CCtx *stream;
	void *memory;
	ZSTD_outBuffer out;
	bool ended; /* the frame is: it was fed whole */
};

static void set(ZSTD_CCtx_params *parameters, ZSTD_cParameter which, int value)
{
	size_t result = ZSTD_CCtxParams_setParameter(parameters, which, value);
	assert(!ZSTD_isError(result));
}

/* With these a frame of another size takes no more memory than a usual one: libzstd only makes tables smaller. */
static void set_tables(ZSTD_CCtx_params *parameters, ZSTD_compressionParameters tables)
{
	set(parameters, ZSTD_c_windowLog, (int)tables.windowLog);
	set(parameters, ZSTD_c_chainLog, (int)tables.chainLog);
	set(parameters, ZSTD_c_hashLog, (int)tables.hashLog);
	set(parameters, ZSTD_c_searchLog, (int)tables.searchLog);
	set(parameters, ZSTD_c_minMatch, (int)tables.minMatch);
	set(parameters, ZSTD_c_targetLength, (int)tables.targetLength);
	set(parameters, ZSTD_c_strategy, (int)tables.strategy);
}

/* NULL without memory. */
static ZSTD_CCtx_params *parameters_create(unsigned level, size_t usual)
{
	ZSTD_CCtx_params *parameters = ZSTD_createCCtxParams();
	if (!parameters)
		return NULL;
	set(parameters, ZSTD_c_compressionLevel, (int)level);
	set(parameters, ZSTD_c_checksumFlag, 1);
	set(parameters, ZSTD_c_srcSizeHint, usual < INT_MAX ? (int)usual : INT_MAX);
	set_tables(parameters, ZSTD_getCParams((int)level, usual, 0));
	return parameters;
}

/* Besides the blocks' headers, which compressBound() covers many times over, a streamed frame has nothing that one made
 * in a single call has not. */
static size_t zstd_bound(size_t most)
{
	return ZSTD_compressBound(most);
}

static size_t zstd_cost(unsigned level, size_t usual)
{
	ZSTD_CCtx_params *parameters = parameters_create(level, usual);
	if (!parameters)
		return SIZE_MAX / 2;
	size_t size = ZSTD_estimateCStreamSize_usingCCtxParams(parameters);
	assert(!ZSTD_isError(size));
	ZSTD_freeCCtxParams(parameters);
	return size + sizeof(struct zstd);
}

static void zstd_destroy(void *context)
{
	struct zstd *zstd = context;
	if (!zstd)
		return;
	free(zstd->memory);
	free(zstd);
}

static bool start(struct zstd *zstd, const ZSTD_CCtx_params *parameters)
{
	size_t size = ZSTD_estimateCStreamSize_usingCCtxParams(parameters);
	zstd->memory = malloc(size);
	if (!zstd->memory)
		return false;
	zstd->stream = ZSTD_initStaticCCtx(zstd->memory, size);
	assert(zstd->stream);
	size_t result = ZSTD_CCtx_setParametersUsingCCtxParams(zstd->stream, parameters);
	assert(!ZSTD_isError(result));
	return true;
}

static void *zstd_create(unsigned level, size_t usual)
{
	struct zstd *zstd = calloc(1, sizeof(*zstd));
	ZSTD_CCtx_params *parameters = parameters_create(level, usual);
	bool started = zstd && parameters && start(zstd, parameters);
	ZSTD_freeCCtxParams(parameters);
	if (started)
		return zstd;
	zstd_destroy(zstd);
	return NULL;
}

static void zstd_begin(void *context, char *to, size_t room)
{
	struct zstd *zstd = context;
	zstd->out = (ZSTD_outBuffer){ .dst = to, .size = room };
	zstd->ended = false;
}

/* Ends the frame with these bytes. */
static void end(struct zstd *zstd, const char *data, size_t size)
{
	ZSTD_inBuffer in = { .src = data, .size = size };
	size_t left;
	do {
		left = ZSTD_compressStream2(zstd->stream, &zstd->out, &in, ZSTD_e_end);
		assert(!ZSTD_isError(left));
		assert(left == 0 || zstd->out.pos < zstd->out.size);
	} while (left > 0);
	zstd->ended = true;
}

static void zstd_feed(void *context, const char *data, size_t size, struct copies *copies)
{
	struct zstd *zstd = context;
	ZSTD_inBuffer in = { .src = data, .size = size };
	if (!copies) {
		end(zstd, data, size);
		return;
	}
	while (in.pos < in.size) {
		size_t result =
			ZSTD_compressStream2(zstd->stream, &zstd->out, &in, ZSTD_e_continue);
		assert(!ZSTD_isError(result));
		assert(zstd->out.pos < zstd->out.size);
	}
}

static size_t zstd_finish(void *context)
{
	struct zstd *zstd = context;
	if (!zstd->ended)
		end(zstd, "", 0);
	return zstd->out.pos;
}

const struct codec codec_zstd = {
	.name = "zstd",
	.copies_why = "",
	.bound = zstd_bound,
	.cost = zstd_cost,
	.create = zstd_create,
	.destroy = zstd_destroy,
	.begin = zstd_begin,
	.feed = zstd_feed,
	.finish = zstd_finish,
};
