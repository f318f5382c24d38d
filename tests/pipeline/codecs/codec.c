/* Every codec at its levels: whatever the input and however it is fed, a frame fits its bound, decodes to the input,
 * and costs no allocation. */

#include "pipeline/codecs/codec.h"

#include "tests/pipeline/codecs/decode.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

enum kind { ZEROS, NOISE, LOG, HALF_NOISE, KINDS };

static void fill_log(char *data, size_t size)
{
	static const char *const words[] = { "error", "connection", "from", "10.0.0.", "closed",
		"status=200", "worker", "GET /index.html", "took", "ms" };
	for (size_t at = 0; at < size;) {
		char word[48];
		int length = snprintf(word, sizeof(word), "%s%u%c", words[chance(10)], chance(1000),
			chance(12) ? ' ' : '\n');
		for (int i = 0; i < length && at < size; i++)
			data[at++] = word[i];
	}
}

static void fill(char *data, size_t size, enum kind kind)
{
	memset(data, 0, size);
	if (kind == LOG)
		fill_log(data, size);
	if (kind == NOISE || kind == HALF_NOISE)
		for (size_t i = 0; i < size; i++)
			data[i] = (char)chance(kind == NOISE ? 256 : 23);
}

/* Pieces of `piece` bytes; 0: of random sizes, short and long ones mixed. */
static size_t piece_size(size_t piece, size_t left)
{
	size_t size = piece ? piece : chance(4) ? chance(300) : chance(100000);
	return size < left ? size : left;
}

static void check_frame(
	const struct codec *codec, void *context, const char *data, size_t size, size_t piece)
{
	size_t room = codec->bound(size);
	char *frame = malloc(room), *content = malloc(size + 1);
	struct copies copies = { 0 };
	codec->begin(context, frame, room);
	for (size_t at = 0, next; at < size; at += next) {
		next = piece_size(piece, size - at);
		codec->feed(context, data + at, next, &copies);
	}
	size_t made = codec->finish(context);
	cr_assert_leq(made, room);
	size_t decoded = decode_frame(codec->name, frame, made, content, size + 1);
	cr_assert_eq(decoded, size, "%s: %zu bytes in pieces of %zu", codec->name, size, piece);
	cr_assert(memcmp(content, data, size) == 0);
	if (!codec->copies_why[0])
		cr_assert_eq(copies_sum(&copies), 0);
	free(frame);
	free(content);
}

/* One context for all frames, made for `usual` bytes. */
static void check_level(const struct codec *codec, unsigned level, size_t usual, size_t largest)
{
	static const size_t sizes[] = { 0, 1, 7, 300, 4096, 65535, 65537, 200000, LARGEST };
	static const size_t pieces[] = { 1, 200, 8192, 65536, LARGEST, 0 };
	char *data = malloc(LARGEST);
	void *context = codec->create(level, usual);
	cr_assert_not_null(context);
	for (enum kind kind = 0; kind < KINDS; kind++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes) && sizes[s] <= largest; s++) {
			fill(data, sizes[s], kind);
			for (size_t p = sizes[s] > 65537; p < sizeof(pieces) / sizeof(*pieces); p++)
				check_frame(codec, context, data, sizes[s], pieces[p]);
		}
	codec->destroy(context);
	free(data);
}

Test(codec, zstd_round_trips)
{
	check_level(&codec_zstd, 1, LARGEST, LARGEST);
	check_level(&codec_zstd, 3, 4096, LARGEST);
	for (unsigned level = 2; level <= 12; level++)
		check_level(&codec_zstd, level, LARGEST, 4096);
	for (unsigned level = 13; level <= 19; level++)
		check_level(&codec_zstd, level, 65536, 300);
}

Test(codec, gzip_round_trips)
{
	for (unsigned level = 1; level <= 3; level++)
		check_level(&codec_gzip, level, LARGEST, LARGEST);
}

Test(codec, deflate_round_trips)
{
	check_level(&codec_deflate, 4, LARGEST, 200000);
	for (unsigned level = 1; level <= 9; level++)
		check_level(&codec_deflate, level, LARGEST, 4096);
}

Test(codec, lz4_round_trips)
{
	check_level(&codec_lz4, 1, LARGEST, LARGEST);
	check_level(&codec_lz4, 3, LARGEST, 200000);
	for (unsigned level = 2; level <= 12; level++)
		check_level(&codec_lz4, level, LARGEST, 4096);
}

/* As threads do: each frame in one piece, which may be smaller or larger than what the context was made for. */
static void check_whole(const struct codec *codec, unsigned level, size_t usual)
{
	static const size_t sizes[] = { 1, 300, 8191, 20000, 100000, 200000, 300000, LARGEST };
	size_t most = level < 13 ? LARGEST : 300000, room = codec->bound(most);
	char *data = malloc(most), *frame = malloc(room), *content = malloc(most + 1);
	void *context = codec->create(level, usual);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes) && sizes[s] <= most; s++) {
		fill(data, sizes[s], s % 2 ? LOG : HALF_NOISE);
		codec->begin(context, frame, room);
		codec->feed(context, data, sizes[s], NULL);
		size_t made = codec->finish(context);
		cr_assert_leq(made, codec->bound(sizes[s]));
		size_t decoded = decode_frame(codec->name, frame, made, content, most + 1);
		cr_assert_eq(decoded, sizes[s], "%s level %u", codec->name, level);
		cr_assert(memcmp(content, data, decoded) == 0);
	}
	codec->destroy(context);
	free(data);
	free(frame);
	free(content);
}

Test(codec, frames_may_be_fed_whole, .timeout = 60)
{
	static const size_t usual[] = { 4096, 65536, 256 << 10, LARGEST };
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		for (unsigned level = 1; level <= 19; level++)
			check_whole(&codec_zstd, level, usual[i]);
		check_whole(&codec_gzip, 1, usual[i]);
		check_whole(&codec_deflate, 6, usual[i]);
		check_whole(&codec_lz4, 1, usual[i]);
		check_whole(&codec_lz4, 9, usual[i]);
	}
}

Test(codec, gzip_copies_short_pieces_only)
{
	static char data[64 << 10];
	void *context = codec_gzip.create(1, sizeof(data));
	size_t room = codec_gzip.bound(sizeof(data) + 500);
	char *frame = malloc(room);
	struct copies copies = { 0 };
	codec_gzip.begin(context, frame, room);
	codec_gzip.feed(context, data, sizeof(data), &copies);
	cr_assert_eq(copies_sum(&copies), 0);
	codec_gzip.feed(context, data, 500, &copies);
	cr_assert_eq(copies.bytes[COPY_STAGE], 500);
	codec_gzip.finish(context);
	codec_gzip.destroy(context);
	free(frame);
}

/* What lies in the stage already is filled up first, so that no block is shorter than it must be. */
Test(codec, lz4_copies_short_pieces_only)
{
	enum { STAGE = 256 << 10 };
	char *data = calloc(1, LARGEST);
	void *context = codec_lz4.create(1, LARGEST);
	size_t room = codec_lz4.bound(2 * LARGEST + 500);
	char *frame = malloc(room);
	struct copies copies = { 0 };
	codec_lz4.begin(context, frame, room);
	codec_lz4.feed(context, data, LARGEST, &copies);
	cr_assert_eq(copies_sum(&copies), 0);
	codec_lz4.feed(context, data, 500, &copies);
	cr_assert_eq(copies.bytes[COPY_STAGE], 500);
	codec_lz4.feed(context, data, LARGEST, &copies);
	cr_assert_eq(copies.bytes[COPY_STAGE], STAGE);
	codec_lz4.finish(context);
	codec_lz4.destroy(context);
	free(frame);
	free(data);
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

/* The heap's own headers and pages come on top of what is asked for. */
static void check_memory(const struct codec *codec, unsigned level, size_t usual)
{
	size_t before = heap();
	void *context = codec->create(level, usual);
	size_t made = heap();
	cr_assert_leq(
		made - before, codec->cost(level, usual) + 8192, "%s level %u", codec->name, level);

	char *data = malloc(usual), *frame = malloc(codec->bound(usual));
	fill(data, usual, LOG);
	size_t flowing = heap();
	for (int round = 0; round < 2; round++) {
		struct copies copies = { 0 };
		codec->begin(context, frame, codec->bound(usual));
		for (size_t at = 0; at < usual; at += 4096)
			codec->feed(context, data + at, 4096, &copies);
		codec->finish(context);
		cr_assert_eq(heap(), flowing, "%s level %u allocates", codec->name, level);
	}
	free(frame);
	free(data);
	codec->destroy(context);
}

Test(codec, memory_is_as_charged_and_does_not_grow)
{
	if (!HEAP_IS_KNOWN)
		cr_skip_test("AddressSanitizer has its own heap");
	for (unsigned level = 1; level <= 19; level += 6)
		check_memory(&codec_zstd, level, 65536);
	check_memory(&codec_zstd, 3, LARGEST);
	for (unsigned level = 1; level <= 3; level++)
		check_memory(&codec_gzip, level, LARGEST);
	for (unsigned level = 4; level <= 9; level++)
		check_memory(&codec_deflate, level, 65536);
	for (unsigned level = 1; level <= 12; level++)
		check_memory(&codec_lz4, level, 65536);
	check_memory(&codec_lz4, 1, LARGEST);
}

Test(codec, frame_given_up_is_freed)
{
	const struct codec *const all[] = { &codec_zstd, &codec_gzip, &codec_deflate, &codec_lz4 };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct copies copies = { 0 };
		void *context = all[i]->create(1, 4096);
		all[i]->destroy(NULL);
		char *room = malloc(all[i]->bound(5));
		all[i]->begin(context, room, all[i]->bound(5));
		all[i]->feed(context, "hello", 5, &copies);
		all[i]->destroy(context);
		free(room);
	}
}
