/* decompress gives the same however a stream is cut, and what the codecs' own libraries make of its frames.
 *
 *     bytes 0–3    how the bytes come (driver/cuts.h)     bytes 4–11   the recipe (driver/frames.h)
 *     byte 12      the codec, the largest ratio and the largest window; then the content
 */

#include "tests/fuzz/driver/cuts.h"
#include "tests/fuzz/driver/frames.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	HEAD = CUTS_HEAD + FRAMES_RECIPE + 1,
	BUFFER = 4 << 10,
	ROOM = 3 << 20,
	RATIO_FROM = 1 << 20,
	RECORDS_OF_A_BYTE = 10000
};

static const char *const codecs[] = { "auto", "zstd", "gzip", "lz4" };

static const struct {
	const char *text;
	uint64_t value;
} ratios[] = { { "1000", 1000 }, { "3", 3 }, { "100", 100 } };

static const struct {
	const char *text;
	size_t value;
} windows[] = { { "64KiB", 64 << 10 }, { "256KiB", 256 << 10 } };

struct choices {
	const char *codec;
	size_t ratio, window; /* of those above */
};

static struct choices choose(uint8_t byte)
{
	return (struct choices){
		.codec = CHOICE(codecs, byte), .ratio = byte / 4 % 3, .window = byte / 12 % 2
	};
}

static void write_stages(const struct choices *choices, size_t record, char *to, size_t size)
{
	snprintf(to, size,
		"[{\"decompress\":{\"codec\":\"%s\",\"max_ratio\":%s,\"max_window\":\"%s\"}},"
		"{\"split\":{\"on\":\"fixed\",\"size\":\"%zuB\"}}]",
		choices->codec, ratios[choices->ratio].text, windows[choices->window].text, record);
}

/* What is expected of one stream. */
struct expected {
	char *out;
	size_t size;
	size_t record; /* bytes of the records that are made of them; what is left over is not put out */
	bool damaged;
	bool exact; /* not: how much of a damaged frame comes out is its decoder's */
	bool bomb;  /* more than what a ratio is not asked for */
};

static const struct {
	const char *bytes;
	size_t size;
	enum frame_kind kind;
} magics[] = {
	{ "\x28\xb5\x2f\xfd", 4, FRAME_ZSTD },
	{ "\x1f\x8b\x08", 3, FRAME_GZIP },
	{ "\x04\x22\x4d\x18", 4, FRAME_LZ4 },
};

/* The bytes that a frame begins with as far as they go; `whole`: all of them are there. */
static bool begins(
	const char *data, size_t size, const char *codec, enum frame_kind *kind, bool *whole)
{
	static const char behind[] = "\x2a\x4d\x18";
	static const char *const names[] = { "zstd", "gzip", "lz4" };
	bool any = strcmp(codec, "auto") == 0;
	size_t have = size < 4 ? size : 4;

	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		size_t known = have < magics[i].size ? have : magics[i].size;
		*kind = magics[i].kind;
		*whole = known == magics[i].size;
		if ((any || strcmp(codec, names[i]) == 0) &&
			memcmp(data, magics[i].bytes, known) == 0)
			return true;
	}
	*kind = FRAME_SKIPPABLE;
	*whole = have == 4;
	return strcmp(codec, "gzip") != 0 && ((uint8_t)data[0] & 0xf0) == 0x50 &&
	       memcmp(data + 1, behind, have - 1) == 0;
}

static bool are_zeros(const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != 0)
			return false;
	return true;
}

/* One frame more. False: it is not good. */
static bool expect_frame(struct expected *expected, enum frame_kind kind, size_t window,
	const char *data, size_t size, size_t *used)
{
	struct reference frame = { .verdict = FRAME_BAD };

	if (kind != FRAME_LZ4 || !frames_large_block(data, size, window))
		frame = frames_decode(kind, data, size, window, expected->out + expected->size,
			ROOM - expected->size);
	expected->size += frame.size;
	expected->bomb = frame.verdict == FRAME_LARGE;
	expected->exact = frame.verdict == FRAME_GOOD || kind == FRAME_LZ4;
	*used = frame.used;
	return frame.verdict == FRAME_GOOD;
}

/* What is no frame: a stream that begins so passes, elsewhere it is damage, but zeros behind gzip. */
static bool expect_other(
	struct expected *expected, const char *data, size_t size, bool first, bool behind_gzip)
{
	if (first) {
		memcpy(expected->out, data, size);
		expected->size = size;
	}
	return first || (behind_gzip && are_zeros(data, size));
}

static struct expected expect(const struct choices *choices, const char *data, size_t size)
{
	static char out[ROOM];
	struct expected expected = { .out = out, .exact = true };
	enum frame_kind kind = FRAME_KINDS;
	bool passes = strcmp(choices->codec, "auto") == 0, behind_gzip = false;

	for (size_t at = 0, used; at < size && !expected.damaged; at += used) {
		bool whole;
		bool frame = begins(data + at, size - at, choices->codec, &kind, &whole) && whole;
		used = size - at;
		expected.damaged =
			frame ? !expect_frame(&expected, kind, windows[choices->window].value,
					data + at, size - at, &used)
			      : !expect_other(
					&expected, data + at, used, at == 0 && passes, behind_gzip);
		behind_gzip = kind == FRAME_GZIP;
	}
	expected.bomb = expected.bomb || expected.size > RATIO_FROM;
	expected.record = expected.size > RECORDS_OF_A_BYTE ? 1024 : 1;
	expected.size -= expected.size % expected.record;
	return expected;
}

static void fail(const struct bench *bench, const char *what, uint64_t is, uint64_t expected)
{
	fprintf(stderr, "%s, buffers of %s, chunks of %zu: %s: %llu, not %llu\n", bench->stages,
		bench->buffer, bench->chunk, what, (unsigned long long)is,
		(unsigned long long)expected);
	abort();
}

static uint64_t damaged(const struct bench *bench)
{
	return bench_report(bench, "bench.decompress")->account.dropped[DROP_DAMAGED];
}

static void check_prefix(const struct bench *bench, const struct expected *expected)
{
	size_t size = bench->out_size[0] < expected->size ? bench->out_size[0] : expected->size;

	if (size > 0 && memcmp(bench->out[0], expected->out, size) != 0)
		fail(bench, "other bytes", size, size);
}

static void check(const struct bench *bench, const struct expected *expected)
{
	check_prefix(bench, expected);
	if (damaged(bench) != expected->damaged)
		fail(bench, "damaged", damaged(bench), expected->damaged);
	if (expected->exact && bench->out_size[0] != expected->size)
		fail(bench, "bytes", bench->out_size[0], expected->size);
}

/* When a bomb is noticed depends on how it comes, but not that it is. */
static void check_bomb(const struct bench *bench, const struct expected *expected,
	const struct choices *choices, size_t size)
{
	uint64_t allowed = ratios[choices->ratio].value * (size + 1);

	allowed = BUFFER + (allowed > RATIO_FROM ? allowed : RATIO_FROM);
	check_prefix(bench, expected);
	if (bench->out_size[0] > allowed)
		fail(bench, "a bomb's bytes", bench->out_size[0], allowed);
}

/* Where the amount of what comes out before damage, or before a bomb is noticed, is not told, the rest cannot be the same. */
static void check_both(
	const struct cuts *cuts, const struct choices *choices, const struct expected *expected)
{
	struct bench whole = cuts_whole(cuts), cut = cuts_cut(cuts);

	if (expected->bomb) {
		check_bomb(&whole, expected, choices, cuts->size);
		check_bomb(&cut, expected, choices, cuts->size);
	} else {
		check(&whole, expected);
		check(&cut, expected);
	}
	if (!expected->bomb && expected->exact)
		cuts_compare(&cut, &whole);
	bench_free(&whole);
	bench_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[256];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	struct choices choices = choose(data[12]);
	struct frames frames = frames_make(data + CUTS_HEAD, data + HEAD, size - HEAD);
	struct expected expected = expect(&choices, frames.data, frames.size);
	/* Much is taken at once, or it would take too long. */
	uint8_t speed = expected.record > 1 ? UINT8_MAX : data[2];
	const uint8_t head[CUTS_HEAD] = { data[0], data[1], speed };
	struct cuts cuts = { .stages = stages,
		.memory = "3MiB",
		.head = head,
		.data = frames.data,
		.size = frames.size };

	write_stages(&choices, expected.record, stages, sizeof(stages));
	check_both(&cuts, &choices, &expected);
	return 0;
}
