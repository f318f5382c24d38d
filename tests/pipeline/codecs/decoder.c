/* Every decoder: however frames come and however little room there is, what went in comes out, in the memory that was
 * given and in no other. */

#include "pipeline/codecs/decoder.h"

#include "pipeline/codecs/codec.h"

#include <criterion/criterion.h>
#include <lz4frame.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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

/* A frame of lz4 that tells its content's size, and what comes of its first bytes. */
static size_t pack_lz4(char *to, size_t room, bool told, bool checked)
{
	LZ4F_preferences_t options = { .frameInfo = { .contentSize = told ? 1000 : 0,
					       .blockChecksumFlag = checked } };
	size_t size = LZ4F_compressFrame(to, room, content, 1000, &options);
	cr_assert_not(LZ4F_isError(size));
	return size;
}

/* liblz4's reset keeps what is left of the size: the next frame seemed to be as much too short. */
Test(decoder, a_size_told_by_a_frame_given_up_is_forgotten)
{
	char frame[4096];
	void *memory = aligned_alloc(64, (decoder_lz4.cost(WINDOW) + 63) / 64 * 64);
	void *context = decoder_lz4.make(memory, WINDOW);
	pack_lz4(frame, sizeof(frame), true, false);
	decoder_lz4.begin(context);
	struct decoding io = { .in = frame, .in_size = 30, .out = decoded, .out_size = SIZE };
	cr_assert_eq(decoder_lz4.decode(context, &io), DECODED_SOME);
	size_t size = pack_lz4(frame, sizeof(frame), false, false);
	cr_assert_eq(decode(&decoder_lz4, context, frame, size, SIZE, SIZE), 1000);
	free(memory);
}

/* What a decoder makes of a damaged frame, in pieces of `in` bytes and room of `out`; it lies in `decoded`. */
static size_t decode_damaged(const struct decoder *decoder, void *context, const char *frame,
	size_t size, size_t in, size_t out)
{
	struct decoding io = { .in = frame, .out = decoded };
	enum decoded result = DECODED_SOME;
	bool due = false;
	decoder->begin(context);
	while (result == DECODED_SOME && (due || io.in < frame + size)) {
		io.in_size = smaller(in, (size_t)(frame + size - io.in));
		io.out_size = smaller(out, (size_t)(decoded + SIZE - io.out));
		result = decoder->decode(context, &io);
		due = io.out_size == 0;
	}
	cr_assert_eq(result, DECODED_BAD);
	cr_assert(io.why);
	return (size_t)(io.out - decoded);
}

static void *make(const struct decoder *decoder, void **memory)
{
	*memory = aligned_alloc(64, (decoder->cost(WINDOW) + 63) / 64 * 64);
	cr_assert(*memory);
	return decoder->make(*memory, WINDOW);
}

/* It comes out before its checksum is read, in one piece or in many. */
Test(decoder, a_stored_block_of_lz4_with_a_wrong_checksum)
{
	static const char frame[] = "\x04\x22\x4d\x18\x70\x40\xad\5\0\0\x80hello\1\2\3\4\0\0\0\0";
	void *memory, *context = make(&decoder_lz4, &memory);
	for (size_t in = 1; in < sizeof(frame); in++)
		cr_assert_eq(
			decode_damaged(&decoder_lz4, context, frame, sizeof(frame) - 1, in, SIZE),
			5, "%zu", in);
	free(memory);
}

/* A member with all of `size` bytes in a block, behind which comes one of a kind that there is not. */
static size_t pack_damaged(char *to, size_t room, size_t size)
{
	z_stream stream = { .next_in = (Bytef *)content,
		.avail_in = (uInt)size,
		.next_out = (Bytef *)to,
		.avail_out = (uInt)room };
	cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&stream, Z_FULL_FLUSH), Z_OK);
	size_t packed = room - stream.avail_out;
	deflateEnd(&stream);
	memset(to + packed, 0xff, 16);
	return packed + 16;
}

/* isa-l has decoded it, and told of the damage, before there was room. */
Test(decoder, what_is_decoded_ahead_of_damage_comes_out)
{
	static char frame[SIZE];
	static const size_t rooms[] = { 1, 10, 999, 1000, SIZE };
	void *memory, *context = make(&decoder_gzip, &memory);
	size_t size = pack_damaged(frame, SIZE - 16, 1000);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		memset(decoded, 0, 1000);
		cr_assert_eq(decode_damaged(&decoder_gzip, context, frame, size, SIZE, rooms[i]),
			1000, "room of %zu", rooms[i]);
		cr_assert_eq(memcmp(decoded, content, 1000), 0);
	}
	free(memory);
}

/* isa-l counts the copy's 258 bytes, and has not written them: they are whatever was there. */
Test(decoder, a_copy_of_what_is_not_there_brings_nothing)
{
	static const char frame[] =
		"\x1f\x8b\x08\0\0\0\0\0\0\3\x4b\x4c\x4a\x1e\xbd\0"
		"\xc0\xc0\xd0\xc8\xd8\xc4\xd4\xcc\xdc\xc2\xd2\xc0\xd0\xc8\xd8\xc4\xd4\xcc\xdc\xc2";
	void *memory, *context = make(&decoder_gzip, &memory);
	for (size_t in = 1; in < sizeof(frame); in++) {
		size_t made =
			decode_damaged(&decoder_gzip, context, frame, sizeof(frame) - 1, in, SIZE);
		cr_assert_leq(made, 3, "%zu bytes in pieces of %zu", made, in);
		cr_assert_eq(memcmp(decoded, "abc", made), 0);
	}
	free(memory);
}
