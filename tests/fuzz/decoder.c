/* A decoder makes the same of a frame however it comes and goes, and what the codec's own library makes of it.
 *
 *     bytes 0–7   the recipe (driver/frames.h)     byte 8   the decoder, and the largest window
 *     bytes 9, 10 the pieces in which the frame comes, and the room there is for what comes out; then the content
 */

#include "tests/fuzz/driver/frames.h"

#include "pipeline/codecs/decoder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = FRAMES_RECIPE + 3, MOST = 4096, ROOM = 256 << 10, WINDOWS = 2, DECODERS = 3 };

static const struct decoder *const decoders[DECODERS] = {
	[FRAME_ZSTD] = &decoder_zstd, [FRAME_GZIP] = &decoder_gzip, [FRAME_LZ4] = &decoder_lz4
};

static const size_t windows[WINDOWS] = { 64 << 10, 1 << 20 };

/* Made once: what a frame leaves behind must not matter to the next. */
static void *context_of(unsigned kind, unsigned window)
{
	static void *contexts[DECODERS][WINDOWS];
	const struct decoder *decoder = decoders[kind];

	if (!contexts[kind][window]) {
		void *memory = aligned_alloc(64, (decoder->cost(windows[window]) + 63) / 64 * 64);
		assert(memory);
		contexts[kind][window] = decoder->make(memory, windows[window]);
	}
	return contexts[kind][window];
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Ours, in pieces of `in` and room of `out` bytes. */
static struct reference decode(const struct decoder *decoder, void *context,
	const struct frames *frame, size_t in, size_t out, char *to)
{
	struct reference is = { .verdict = FRAME_OPEN };
	bool due = false;

	decoder->begin(context);
	while (is.verdict == FRAME_OPEN && (due || is.used < frame->size)) {
		struct decoding at = { .in = frame->data + is.used,
			.in_size = smaller(in, frame->size - is.used),
			.out = to + is.size,
			.out_size = smaller(out, ROOM - is.size) };
		if (at.out_size == 0) {
			is.verdict = FRAME_LARGE;
			break;
		}
		enum decoded decoded = decoder->decode(context, &at);
		is.used = (size_t)(at.in - frame->data);
		is.size = (size_t)(at.out - to);
		due = at.out_size == 0;
		is.verdict = decoded == DECODED_FRAME ? FRAME_GOOD
			     : decoded == DECODED_BAD ? FRAME_BAD
						      : FRAME_OPEN;
		assert(is.verdict != FRAME_BAD || at.why);
	}
	return is;
}

static void fail(unsigned kind, const char *what, const struct reference *is,
	const struct reference *expected)
{
	fprintf(stderr, "%s, %s: verdict %d, %zu bytes of %zu; not %d, %zu of %zu\n",
		decoders[kind]->name, what, is->verdict, is->size, is->used, expected->verdict,
		expected->size, expected->used);
	abort();
}

/* Damage may be told with the byte that shows it or with one behind. */
static bool is_bad(const struct reference *reference)
{
	return reference->verdict == FRAME_BAD || reference->verdict == FRAME_OPEN;
}

/* How much comes out before damage may depend on the cuts: isa-l may have to leave a copy's bytes out, libzstd tells of a
 * stored block byte by byte, or not at all if it is at its end that something is wrong. */
static const size_t doubtful_when_cut[DECODERS] = { [FRAME_ZSTD] = 128 << 10, [FRAME_GZIP] = 258 };

/* isa-l goes on with codes that are not complete, where zlib stops: the checksum tells it then. */
static const size_t doubtful[DECODERS] = { [FRAME_ZSTD] = 128 << 10, [FRAME_GZIP] = ROOM };

static size_t difference(size_t a, size_t b)
{
	return a < b ? b - a : a - b;
}

static void compare(unsigned kind, const size_t *doubt, const struct reference *is, const char *out,
	const struct reference *expected, const char *expected_out)
{
	const char *what = doubt == doubtful ? "whole" : "cut";
	size_t allowed = is_bad(is) ? doubt[kind] : 0;

	if (is_bad(is) != is_bad(expected) || (!is_bad(is) && is->verdict != expected->verdict))
		fail(kind, what, is, expected);
	if (difference(is->size, expected->size) > allowed ||
		memcmp(out, expected_out, smaller(is->size, expected->size)) != 0)
		fail(kind, what, is, expected);
	if (is->verdict == FRAME_GOOD && is->used != expected->used)
		fail(kind, what, is, expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char whole_out[ROOM], cut_out[ROOM], expected_out[ROOM];
	if (size < HEAD || size > HEAD + MOST)
		return 0;
	unsigned kind = data[8] % DECODERS, window = data[8] / DECODERS % WINDOWS;
	const struct decoder *decoder = decoders[kind];
	void *context = context_of(kind, window);
	struct frames frame = frames_make(data, data + HEAD, size - HEAD);
	struct reference whole = decode(decoder, context, &frame, SIZE_MAX, ROOM, whole_out);
	struct reference cut =
		decode(decoder, context, &frame, 1u + data[9], 1u + data[10] * 17u, cut_out);
	compare(kind, doubtful_when_cut, &cut, cut_out, &whole, whole_out);
	if (kind == FRAME_LZ4 && frames_large_block(frame.data, frame.size, windows[window])) {
		if (whole.verdict != FRAME_BAD || whole.size > 0)
			abort();
		return 0;
	}
	struct reference expected = frames_decode(
		(enum frame_kind)kind, frame.data, frame.size, windows[window], expected_out, ROOM);
	compare(kind, doubtful, &whole, whole_out, &expected, expected_out);
	return 0;
}
