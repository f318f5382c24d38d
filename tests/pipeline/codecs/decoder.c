/* Every decoder: however frames come and however little room there is, what went in comes out, in the memory that was
 * given and in no other. */

#include "pipeline/codecs/decoder.h"

#include "pipeline/codecs/codec.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 300000, WINDOW = 4 << 20 };

static const struct pair {
	const struct decoder *decoder;
	const struct codec *codec;
} pairs[] = {
	{ &decoder_zstd, &codec_zstd },
	{ &decoder_gzip, &codec_gzip },
	{ &decoder_gzip, &codec_deflate },
	{ &decoder_lz4, &codec_lz4 },
};

enum { PAIRS = sizeof(pairs) / sizeof(*pairs) };

static char content[SIZE], decoded[SIZE + 1];

static void fill(void)
{
	uint32_t state = 1;
	for (size_t i = 0; i < SIZE; i++) {
		state = state * 1664525 + 1013904223;
		content[i] = (char)((unsigned char)"abcdefgh\n"[state >> 24 & 7] + (i / 1000 & 1));
	}
}

TestSuite(decoder, .init = fill, .timeout = 60);

static char *pack(const struct codec *codec, size_t size, size_t *packed)
{
	struct copies copies = { 0 };
	char *frame = malloc(codec->bound(size));
	void *context = codec->create(1, size ? size : 1);
	cr_assert(frame && context);
	codec->begin(context, frame, codec->bound(size));
	codec->feed(context, content, size, &copies);
	*packed = codec->finish(context);
	codec->destroy(context);
	return frame;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Decodes one frame in pieces of `in` and room of `out` bytes; what comes out lies in `decoded`. */
static size_t decode(const struct decoder *decoder, void *context, const char *frame, size_t size,
	size_t in, size_t out)
{
	size_t at = 0, made = 0;
	enum decoded result = DECODED_SOME;
	decoder->begin(context);
	for (size_t calls = 0; result == DECODED_SOME; calls++) {
		struct decoding io = { .in = frame + at,
			.in_size = smaller(in, size - at),
			.out = decoded + made,
			.out_size = smaller(out, SIZE + 1 - made) };
		result = decoder->decode(context, &io);
		at = (size_t)(io.in - frame);
		made = (size_t)(io.out - decoded);
		cr_assert_leq(calls, 4 * (size + SIZE), "it does not come to an end");
	}
	cr_assert_eq(result, DECODED_FRAME);
	cr_assert_eq(at, size);
	return made;
}

#ifdef __SANITIZE_ADDRESS__
enum { HEAP_IS_KNOWN = false };
#else
enum { HEAP_IS_KNOWN = true };
#endif

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void check_pair(const struct pair *pair, void *memory, size_t size)
{
	static const size_t pieces[] = { 1, 7, 4096, SIZE };
	size_t packed;
	char *frame = pack(pair->codec, size, &packed);
	void *context = pair->decoder->make(memory, WINDOW);
	size_t before = heap();
	for (size_t i = size > 5000 ? 2 : 0; i < 4; i++)
		for (size_t k = size > 5000 ? 2 : 0; k < 4; k++) {
			size_t made =
				decode(pair->decoder, context, frame, packed, pieces[i], pieces[k]);
			cr_assert_eq(made, size, "%s: %zu", pair->codec->name, made);
			cr_assert_eq(memcmp(decoded, content, size), 0);
		}
	if (HEAP_IS_KNOWN)
		cr_assert_eq(heap(), before, "%s allocates", pair->decoder->name);
	free(frame);
}

/* The memory is of exactly the size that is asked for, so that a sanitizer sees what goes beyond. */
Test(decoder, any_pieces_in_given_memory)
{
	static const size_t sizes[] = { 0, 1, 5000, SIZE };
	for (size_t i = 0; i < PAIRS; i++) {
		size_t cost = pairs[i].decoder->cost(WINDOW);
		void *memory = aligned_alloc(64, (cost + 63) / 64 * 64);
		cr_assert(memory);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++)
			check_pair(&pairs[i], memory, sizes[k]);
		free(memory);
	}
}

/* A frame that is given up, or damaged, leaves nothing behind. */
Test(decoder, begins_anew)
{
	for (size_t i = 0; i < PAIRS; i++) {
		const struct decoder *decoder = pairs[i].decoder;
		size_t packed;
		char *frame = pack(pairs[i].codec, 5000, &packed);
		void *memory = aligned_alloc(64, (decoder->cost(WINDOW) + 63) / 64 * 64);
		void *context = decoder->make(memory, WINDOW);
		for (size_t cut = 0; cut < packed; cut += 37) {
			decoder->begin(context);
			struct decoding io = {
				.in = frame, .in_size = cut, .out = decoded, .out_size = SIZE
			};
			cr_assert_eq(decoder->decode(context, &io), DECODED_SOME);
			cr_assert_eq(decode(decoder, context, frame, packed, 100, 100), 5000);
			char spoilt = frame[cut];
			frame[cut] ^= 0x55;
			decoder->begin(context);
			io = (struct decoding){
				.in = frame, .in_size = packed, .out = decoded, .out_size = SIZE
			};
			enum decoded result = decoder->decode(context, &io);
			cr_assert(result != DECODED_BAD || io.why, "it does not say why");
			frame[cut] = spoilt;
			cr_assert_eq(decode(decoder, context, frame, packed, 100, 100), 5000);
		}
		free(memory);
		free(frame);
	}
}
