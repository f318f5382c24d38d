/* decompress, against the tools: what they read back comes out, and what they refuse counts as damaged, however the
 * bytes are cut, however small the buffers and however slow the sink. */

#include "tests/support/bench.h"

#include "pipeline/registry.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct bytes_of {
	char *data;
	size_t size;
};

static char folder[32];

/* Each test has a folder of its own. */
static void begin(void)
{
	strcpy(folder, "/tmp/viewduct-XXXXXX");
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void end(void)
{
	static const char *const names[] = { "in", "out" };
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(names[i]);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(folder), 0);
}

TestSuite(decompress, .init = begin, .fini = end, .timeout = 120);

static void put_file(const char *data, size_t size)
{
	int fd = open("in", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	ssize_t written = write(fd, data, size);
	cr_assert_eq(written, (ssize_t)size);
	close(fd);
}

static struct bytes_of get_file(void)
{
	struct bytes_of got = { 0 };
	FILE *file = fopen("out", "rb");
	cr_assert(file);
	fseek(file, 0, SEEK_END);
	got.size = (size_t)ftell(file);
	rewind(file);
	got.data = calloc(1, got.size + 1);
	cr_assert_eq(fread(got.data, 1, got.size, file), got.size);
	fclose(file);
	return got;
}

/* True if the command, which reads "in" and writes "out", is content. */
static bool run(const char *command)
{
	char line[128];
	snprintf(line, sizeof(line), "%s < in > out 2> /dev/null", command);
	return system(line) == 0;
}

static struct bytes_of through(const char *command, struct bytes_of input)
{
	put_file(input.data, input.size);
	cr_assert(run(command), "%s", command);
	return get_file();
}

static bool tool_accepts(const char *tool, struct bytes_of input)
{
	char command[64];
	snprintf(command, sizeof(command), "%s -t", tool);
	put_file(input.data, input.size);
	return run(command);
}

static struct bytes_of text(size_t size, unsigned seed)
{
	struct bytes_of made = { .data = malloc(size + 1) };
	uint64_t random = seed;
	while (made.size < size) {
		char line[96];
		int length = snprintf(line, sizeof(line), "%u error: worker %u took %u ms\n",
			(unsigned)random_below(&random, 100000), (unsigned)random_below(&random, 9),
			(unsigned)random_below(&random, 1000));
		size_t part = (size_t)length < size - made.size ? (size_t)length : size - made.size;
		memcpy(made.data + made.size, line, part);
		made.size += part;
	}
	made.data[size - 1] = '\n';
	made.data[size] = '\0';
	return made;
}

static void add(struct bytes_of *all, const char *data, size_t size)
{
	all->data = realloc(all->data, all->size + size + 1);
	cr_assert(all->data);
	if (size > 0)
		memcpy(all->data + all->size, data, size);
	all->size += size;
	all->data[all->size] = '\0';
}

/* One stream through the stage; the caller frees the bench. */
static struct bench decompressed(const char *options, struct bytes_of input, size_t chunk)
{
	static char stages[128];
	static struct segment segment;
	segment = (struct segment){ .data = input.data, .size = input.size, .flags = VIEW_END };
	snprintf(stages, sizeof(stages), "[{\"decompress\":%s},\"split\"]", options);
	struct bench bench = { .stages = stages,
		.segments = &segment,
		.segment_count = 1,
		.chunk = chunk,
		.speed = UINT64_MAX };
	bench_run(&bench);
	cr_assert(bench_balances(&bench));
	return bench;
}

static uint64_t damaged(const struct bench *bench)
{
	return bench_report(bench, "bench.decompress")->account.dropped[DROP_DAMAGED];
}

static void check_same(const struct bench *bench, struct bytes_of expected, const char *what)
{
	cr_assert_eq(bench->out_size[0], expected.size, "%s: %zu of %zu bytes", what,
		bench->out_size[0], expected.size);
	if (expected.size > 0)
		cr_assert_eq(memcmp(bench->out[0], expected.data, expected.size), 0, "%s", what);
}

static void check_comes_out(
	const char *options, struct bytes_of input, struct bytes_of expected, const char *what)
{
	static const size_t chunks[] = { 1, 1000, 65536 };
	for (size_t i = input.size > 100000; i < COUNT(chunks); i++) {
		struct bench bench = decompressed(options, input, chunks[i]);
		check_same(&bench, expected, what);
		cr_assert_eq(damaged(&bench), 0, "%s", what);
		cr_assert_eq(bench.copied, 0, "%s", what);
		bench_free(&bench);
	}
}

/* What tools make. */

Test(decompress, whatever_the_tools_make)
{
	static const char *const commands[] = { "zstd -c1", "zstd -c", "zstd -c19",
		"zstd -c --long=23", "zstd -c --no-check", "gzip -c1", "gzip -c6", "gzip -c9",
		"lz4 -c1", "lz4 -c9", "lz4 -c -BD -B4", "lz4 -c -BX -B5", "lz4 -c --no-frame-crc",
		"cat" };
	struct bytes_of input = text(300000, 1), small = text(100, 2), none = { .data = "" };
	for (size_t i = 0; i < COUNT(commands); i++) {
		const struct bytes_of inputs[] = { input, small, none };
		for (size_t k = 0; k < COUNT(inputs); k++) {
			struct bytes_of packed = through(commands[i], inputs[k]);
			check_comes_out("\"auto\"", packed, inputs[k], commands[i]);
			free(packed.data);
		}
	}
	free(input.data);
	free(small.data);
}

Test(decompress, a_header_with_everything)
{
	static const char name[] = "\x1f\x8b\x08\x1c\1\2\3\4\0\3\5\0extraname\0comment";
	struct bytes_of input = text(5000, 3), packed = through("gzip -cn", input), all = { 0 };
	add(&all, name, sizeof(name));
	add(&all, packed.data + 10, packed.size - 10);
	cr_assert(tool_accepts("gzip", all));
	check_comes_out("\"gzip\"", all, input, "extra, name and comment");
	free(all.data);
	free(packed.data);
	free(input.data);
}

/* A frame of each, with frames between them that are to be skipped. */
static struct bytes_of row_of_frames(struct bytes_of *expected)
{
	static const char *const commands[] = { "zstd -c", "gzip -c", "lz4 -c", "zstd -c9",
		"lz4 -c -BD -B4", "gzip -c1" };
	static const char skipped[] = "\x53\x2a\x4d\x18\x05\0\0\0hello";
	struct bytes_of all = { 0 };
	add(&all, skipped, sizeof(skipped) - 1);
	for (unsigned i = 0; i < COUNT(commands); i++) {
		struct bytes_of part = text(700 * i + 1, i), packed = through(commands[i], part);
		add(expected, part.data, part.size);
		add(&all, packed.data, packed.size);
		add(&all, skipped, sizeof(skipped) - 1);
		free(part.data);
		free(packed.data);
	}
	return all;
}

Test(decompress, frames_in_a_row_however_they_are_cut)
{
	static const size_t chunks[] = { 1, 2, 3, 7, 64, 1000 };
	static const char *const buffers[] = { "16B", "17B", "100B", "4KiB" };
	static const uint64_t speeds[] = { 3, 100, UINT64_MAX };
	struct bytes_of expected = { 0 }, input = row_of_frames(&expected);
	struct segment segment = { .data = input.data, .size = input.size, .flags = VIEW_END };
	for (size_t i = 0; i < COUNT(chunks) * COUNT(buffers) * COUNT(speeds); i++) {
		struct bench bench = {
			.stages = "[{\"decompress\":{\"max_window\":\"4MiB\"}},\"split\"]",
			.memory = "32MiB",
			.buffer = buffers[i % COUNT(buffers)],
			.segments = &segment,
			.segment_count = 1,
			.chunk = chunks[i / COUNT(buffers) % COUNT(chunks)],
			.speed = speeds[i / COUNT(buffers) / COUNT(chunks)]
		};
		bench_run(&bench);
		check_same(&bench, expected, "a row of frames");
		cr_assert_eq(damaged(&bench), 0);
		bench_free(&bench);
	}
	free(input.data);
	free(expected.data);
}

Test(decompress, skippable_frames_of_one_codec)
{
	static const char skipped[] = "\x5f\x2a\x4d\x18\x03\0\0\0abc";
	static const char *const tools[] = { "zstd", "lz4" };
	for (size_t i = 0; i < COUNT(tools); i++) {
		char options[16];
		struct bytes_of input = text(900, 4), packed = through(tools[i], input),
				all = { 0 };
		snprintf(options, sizeof(options), "\"%s\"", tools[i]);
		add(&all, skipped, sizeof(skipped) - 1);
		add(&all, packed.data, packed.size);
		add(&all, skipped, sizeof(skipped) - 1);
		cr_assert(tool_accepts(tools[i], all));
		check_comes_out(options, all, input, tools[i]);
		free(all.data);
		free(packed.data);
		free(input.data);
	}
}

/* Unknown bytes pass as they are, though they begin as a magic does. */
Test(decompress, what_is_no_frame_passes)
{
	static const char *const plain[] = { "", "\n", "(", "\x28\xb5", "\x28\xb5\x2f",
		"\x28\xb5\x2f\n", "P", "P*", "P*M", "PLAIN text\n", "\x1f\x8b",
		"\x1f\x8b\x07 no gzip\n", "\x04\x22\x4d\x19\n", "text (\x28\xb5\x2f\xfd) text\n",
		"_*M\x17" };
	for (size_t i = 0; i < COUNT(plain); i++) {
		struct bytes_of input = { .data = (char *)(uintptr_t)plain[i],
			.size = strlen(plain[i]) };
		check_comes_out("\"auto\"", input, input, plain[i]);
	}
}

/* Damage */

static const char *const tools[] = { "zstd", "gzip", "lz4" };

/* Windows as large as the tools allow. */
static struct bench judged(const char *tool, struct bytes_of input)
{
	static char stages[128];
	static struct segment segment;
	segment = (struct segment){ .data = input.data, .size = input.size, .flags = VIEW_END };
	snprintf(stages, sizeof(stages),
		"[{\"decompress\":{\"codec\":\"%s\",\"max_window\":\"128MiB\"}},\"split\"]", tool);
	struct bench bench = { .stages = stages,
		.service_memory = "512MiB",
		.buffer = "1MiB",
		.segments = &segment,
		.segment_count = 1,
		.chunk = 1000,
		.speed = UINT64_MAX };
	bench_run(&bench);
	return bench;
}

static void check_verdict(const char *tool, struct bytes_of input, const char *what, size_t at)
{
	bool fine = tool_accepts(tool, input);
	struct bench bench = judged(tool, input);
	cr_assert_eq(damaged(&bench), !fine, "%s, %s %zu: the tool says %s", tool, what, at,
		fine ? "fine" : "damaged");
	bench_free(&bench);
}

Test(decompress, what_is_cut_off_gives_what_is_before)
{
	struct bytes_of input = text(20000, 5);
	for (size_t i = 0; i < COUNT(tools); i++) {
		struct bytes_of packed = through(tools[i], input);
		size_t most = 0;
		for (size_t size = 64; size < packed.size; size += 64) {
			struct bytes_of cut = { packed.data, size };
			check_verdict(tools[i], cut, "cut at", size);
			struct bench bench = decompressed("\"auto\"", cut, 100);
			cr_assert_leq(bench.out_size[0], input.size);
			if (bench.out_size[0] > 0)
				cr_assert_eq(
					memcmp(bench.out[0], input.data, bench.out_size[0]), 0);
			cr_assert_eq(damaged(&bench), 1);
			cr_assert_geq(bench.out_size[0], most, "less of more");
			most = bench.out_size[0];
			bench_free(&bench);
		}
		free(packed.data);
	}
	free(input.data);
}

/* The whole frames before a damaged one come out, and of gzip what its tool gives. */
Test(decompress, frames_before_damage_come_out)
{
	for (size_t i = 0; i < COUNT(tools); i++) {
		struct bytes_of first = text(3000, 6), second = text(3000, 7), all = { 0 };
		struct bytes_of a = through(tools[i], first), b = through(tools[i], second);
		b.data[b.size / 2] = (char)(b.data[b.size / 2] ^ 0x10);
		add(&all, a.data, a.size);
		add(&all, b.data, b.size);
		add(&all, a.data, a.size);
		struct bench bench = decompressed("\"auto\"", all, 65536);
		cr_assert_geq(bench.out_size[0], first.size);
		cr_assert_eq(memcmp(bench.out[0], first.data, first.size), 0);
		cr_assert_eq(damaged(&bench), 1);
		bench_free(&bench);
		free(all.data);
		free(a.data);
		free(b.data);
		free(first.data);
		free(second.data);
	}
}

Test(decompress, flipped_bits_are_seen_where_the_tools_see_them)
{
	struct bytes_of input = text(1500, 8);
	for (size_t i = 0; i < COUNT(tools); i++) {
		struct bytes_of packed = through(tools[i], input);
		for (size_t at = 0; at < packed.size;
			at += at < 24 || at + 12 > packed.size ? 1 : 23) {
			char bit = (char)(1 << (at * 5 + at / 8) % 8);
			packed.data[at] ^= bit;
			check_verdict(tools[i], packed, "flipped at", at);
			packed.data[at] ^= bit;
		}
		free(packed.data);
	}
	free(input.data);
}

Test(decompress, what_follows_the_last_frame)
{
	static const struct bytes_of tails[] = { { "garbage!", 8 }, { "x", 1 }, { "\0\0\0", 3 },
		{ "\0\0x", 3 }, { "\0", 1 }, { "\x1f", 1 }, { "\x28\xb5", 2 }, { "", 0 } };
	struct bytes_of input = text(500, 9);
	for (size_t i = 0; i < COUNT(tools); i++)
		for (size_t k = 0; k < COUNT(tails); k++) {
			struct bytes_of packed = through(tools[i], input);
			add(&packed, tails[k].data, tails[k].size);
			check_verdict(tools[i], packed, "tail", k);
			struct bench bench = decompressed("\"auto\"", packed, 1);
			check_same(&bench, input, "what is before a tail");
			bench_free(&bench);
			free(packed.data);
		}
	free(input.data);
}

Test(decompress, a_named_codec_takes_nothing_else)
{
	struct bytes_of input = text(500, 10);
	for (size_t i = 0; i < COUNT(tools); i++) {
		char options[16];
		struct bytes_of packed = through(tools[i], input);
		snprintf(options, sizeof(options), "\"%s\"", tools[(i + 1) % COUNT(tools)]);
		struct bench bench = decompressed(options, packed, 3);
		cr_assert_eq(damaged(&bench), 1);
		cr_assert_eq(bench.out_size[0], 0);
		bench_free(&bench);
		free(packed.data);
	}
	free(input.data);
}

/* Limits */

Test(decompress, bombs_are_refused)
{
	static const char *const commands[] = { "zstd -c", "zstd -c19", "lz4 -c9", "gzip -c9" };
	struct bytes_of zeros = { .data = calloc(1, 8 << 20), .size = 8 << 20 };
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct bytes_of packed = through(commands[i], zeros);
		struct bench bench = decompressed(
			i < 2 ? "{}" : "{\"codec\":\"auto\",\"max_ratio\":100}", packed, 4096);
		const struct node_report *report = bench_report(&bench, "bench.decompress");
		cr_assert_eq(damaged(&bench), 1, "%s", commands[i]);
		cr_assert_geq(report->bytes_out, 1 << 20);
		cr_assert_leq(report->bytes_out, (1 << 20) + 65536 + packed.size * 1000);
		cr_assert_lt(report->bytes_out, zeros.size);
		bench_free(&bench);
		bench = decompressed("{\"max_ratio\":1000000}", packed, 4096);
		cr_assert_eq(damaged(&bench), 0, "%s", commands[i]);
		cr_assert_eq(bench_report(&bench, "bench.decompress")->bytes_out, zeros.size);
		bench_free(&bench);
		free(packed.data);
	}
	free(zeros.data);
}

Test(decompress, windows_are_bounded)
{
	static const char huge[] = "\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00\n"; /* of 2^31 bytes */
	struct bytes_of bomb = { .data = (char *)(uintptr_t)huge, .size = sizeof(huge) - 1 };
	struct bench bench = decompressed("{}", bomb, 1);
	cr_assert_eq(damaged(&bench), 1);
	cr_assert_eq(bench.out_size[0], 0);
	bench_free(&bench);

	static const struct {
		const char *command, *too_small, *enough;
	} rows[] = {
		{ "zstd -c --long=22 --no-content-size", "{\"max_window\":\"2MiB\"}",
			"{\"max_window\":\"4MiB\"}" },
		{ "lz4 -c -B6", "{\"max_window\":\"1000KiB\"}", "{\"max_window\":\"1MiB\"}" },
		{ "lz4 -c -B7", "{\"max_window\":\"1MiB\"}", "{\"max_window\":\"4MiB\"}" },
	};
	struct bytes_of input = text(5 << 20, 11);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes_of packed = through(rows[i].command, input);
		bench = decompressed(rows[i].too_small, packed, 65536);
		cr_assert_eq(damaged(&bench), 1, "%s", rows[i].command);
		bench_free(&bench);
		bench = decompressed(rows[i].enough, packed, 65536);
		check_same(&bench, input, rows[i].command);
		bench_free(&bench);
		free(packed.data);
	}
	free(input.data);
}

/* Streams */

enum { STREAMS_AT_ONCE = 24, PARTS = 40 };

/* Every stream brings its parts in turn with the others; the third is damaged, the fourth broken off. */
static size_t weave(struct segment *segments, struct bytes_of *packed)
{
	size_t count = 0;
	for (size_t part = 0; part <= PARTS; part++)
		for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++) {
			size_t from = packed[i].size * part / (PARTS + 1);
			size_t to = packed[i].size * (part + 1) / (PARTS + 1);
			if (i == 3 && part == PARTS)
				to = from;
			segments[count++] = (struct segment){ .stream = i,
				.data = packed[i].data + from,
				.size = to - from,
				.flags = part < PARTS ? 0
					 : i == 3     ? VIEW_BROKEN
						      : VIEW_END };
		}
	return count;
}

static uint32_t lines_of(struct bytes_of input)
{
	uint32_t lines = 0;
	for (size_t i = 0; i < input.size; i++)
		lines += input.data[i] == '\n';
	return lines;
}

/* "good", and a repetition of 258 bytes from 32 KiB before: isa-l counts them as written before it refuses them. */
static const char repeats_nothing[] = "\x1f\x8b\x08\0\0\0\0\0\0\0\x4b\xcf\xcf\x4f\x19\xbd\xff\x1f"
				      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/* In the very context and buffers that had another's bytes. */
Test(decompress, damage_brings_nothing_of_another_stream)
{
	struct bytes_of other = text(300000, 11), packed = through("gzip -c", other);
	for (size_t chunk = 0; chunk < 100; chunk += 33) {
		struct segment segments[] = {
			{ .data = packed.data, .size = packed.size, .flags = VIEW_END },
			{ .stream = 1,
				.data = repeats_nothing,
				.size = sizeof(repeats_nothing),
				.flags = VIEW_END },
		};
		struct bench bench = { .stages = "[\"decompress\",\"split\"]",
			.memory = "32MiB",
			.segments = segments,
			.segment_count = COUNT(segments),
			.chunk = chunk ? chunk : SIZE_MAX,
			.speed = UINT64_MAX };
		bench_run(&bench);
		cr_assert_eq(damaged(&bench), 1);
		/* "good" is not a whole record: it is cut, as what follows it is. */
		cr_assert_eq(bench.out_size[0], other.size);
		cr_assert_eq(memcmp(bench.out[0], other.data, other.size), 0);
		bench_free(&bench);
	}
	free(packed.data);
	free(other.data);
}

Test(decompress, streams_do_not_touch_each_other)
{
	static const char *const small_windows[] = { "zstd -c --zstd=wlog=16", "gzip -c",
		"lz4 -c -B4" };
	static struct segment segments[STREAMS_AT_ONCE * (PARTS + 1)];
	struct bytes_of packed[STREAMS_AT_ONCE];
	uint32_t lines = 0;
	for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++) {
		struct bytes_of input = text(9000, 100 + i);
		packed[i] = through(i % 4 == 1 ? "cat" : small_windows[i % 3], input);
		lines += i == 2 || i == 3 ? 0 : lines_of(input);
		free(input.data);
	}
	packed[2].data[packed[2].size - 1] ^= 1;
	packed[2].data[packed[2].size / 2] ^= 1;
	struct bench bench = {
		.stages = "[{\"decompress\":{\"max_window\":\"64KiB\"}},\"split\"]",
		.segments = segments,
		.segment_count = weave(segments, packed),
		.chunk = 0,
		.speed = 0,
		.seed = 7,
		.sockets = true,
	};
	bench_run(&bench);
	const struct node_report *split = bench_report(&bench, "bench.split");
	cr_assert_eq(damaged(&bench), 1);
	cr_assert_eq(split->account.dropped[DROP_CUT] <= 1, true);
	cr_assert_geq(split->records_out, lines);
	cr_assert_leq(split->records_out, lines + 2 * 320);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++)
		free(packed[i].data);
}

/* Hardly more than the smallest pool there is, many streams, records in several buffers, and a sink that takes a little at
 * a time: nobody waits for a buffer that its own input holds. */
Test(decompress, goes_on_in_a_small_pool)
{
	static struct segment segments[STREAMS_AT_ONCE * (PARTS + 1)];
	struct bytes_of packed[STREAMS_AT_ONCE];
	uint32_t lines = 0;
	for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++) {
		struct bytes_of input = text(200000, 200 + i);
		for (size_t k = 0; k + 1 < input.size; k++)
			if (input.data[k] == '\n' && random_below(&(uint64_t){ k }, 40))
				input.data[k] = ' ';
		packed[i] = through("gzip -c", input);
		lines += i == 3 ? 0 : lines_of(input);
		free(input.data);
	}
	struct bench bench = {
		.stages = "[{\"decompress\":\"gzip\"},{\"split\":{\"max_record\":\"64KiB\"}}]",
		.memory = "5MiB",
		.buffer = "64KiB",
		.segments = segments,
		.segment_count = weave(segments, packed),
		.chunk = 0,
		.speed = 2000,
		.seed = 3,
	};
	bench_run(&bench);
	cr_assert_leq(bench.most_used, 48);
	cr_assert(bench_balances(&bench));
	cr_assert_eq(damaged(&bench), 0);
	cr_assert_geq(bench_report(&bench, "bench.split")->records_in, lines);
	bench_free(&bench);
	for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++)
		free(packed[i].data);
}

/* Half of 64 MiB holds three contexts of windows of 8 MiB; a fourth stream within a frame is given up. */
Test(decompress, more_frames_at_once_than_contexts)
{
	struct segment segments[8];
	struct bytes_of input = text(3000, 12), packed = through("zstd", input);
	for (uint32_t i = 0; i < 4; i++) {
		segments[i] = (struct segment){ .stream = i, .data = packed.data, .size = 100 };
		segments[4 + i] = (struct segment){ .stream = i,
			.data = packed.data + 100,
			.size = packed.size - 100,
			.flags = VIEW_END };
	}
	struct bench bench = { .stages = "[\"decompress\",\"split\"]",
		.segments = segments,
		.segment_count = 8,
		.chunk = 1000,
		.speed = UINT64_MAX };
	bench_run(&bench);
	const struct account *account = &bench_report(&bench, "bench.decompress")->account;
	cr_assert_eq(account->dropped[DROP_MEMORY], 1);
	cr_assert_eq(account->dropped[DROP_DAMAGED], 0);
	cr_assert_eq(bench.out_size[0], 3 * input.size);
	bench_free(&bench);
	free(packed.data);
	free(input.data);
}

/* Planning */

static bool plans(const char *pipelines, struct faults *faults, char *how, size_t how_size)
{
	struct document document = { 0 };
	bool parsed = document_parse(&document, "test", pipelines, strlen(pipelines), true, faults);
	cr_assert(parsed);
	struct plan *plan = plan_create(&document, faults);
	for (size_t i = 0; plan && i < plan->pipelines[0]->node_count; i++)
		if (strcmp(plan->pipelines[0]->nodes[i]->type->name, "decompress") == 0)
			snprintf(how, how_size, "%s", plan->pipelines[0]->nodes[i]->how);
	bool good = plan != NULL;
	plan_destroy(plan);
	document_close(&document);
	return good;
}

#define LISTENERS(more, window)                                                                    \
	"{\"pipelines\":{\"p\":{\"from\":[{\"tcp\":{\"listen\":\"127.0.0.1:1\"" more               \
	"}},{\"tcp\":\"127.0.0.1:2\"}],\"stages\":[{\"decompress\":{\"codec\":\"zstd\"" window     \
	"}},\"split\"],\"to\":\"null\"}}}"

Test(decompress, listeners_allow_what_the_memory_holds)
{
	struct faults faults = { 0 };
	char how[160] = "";
	unsigned contexts = 0;
	cr_assert(plans(LISTENERS("", ""), &faults, how, sizeof(how)));
	cr_assert_eq(sscanf(how, "zstd, %u contexts for windows of up to 1MiB", &contexts), 1, "%s",
		how);
	cr_assert(contexts >= 16 && contexts <= 32, "%s", how);
	cr_assert_not(plans(LISTENERS(",\"max_connections\":100", ""), &faults, how, sizeof(how)));
	cr_assert_eq(faults.errors, 1);
	cr_assert_str_eq(faults.items[0].pointer, "/pipelines/p/from/0/tcp/max_connections");
	cr_assert(strstr(faults.items[0].remedy, "\"max_connections\": "), "%s",
		faults.items[0].remedy);
	faults_close(&faults);
	faults = (struct faults){ 0 };
	cr_assert(plans(LISTENERS(",\"max_connections\":30", ",\"max_window\":\"64KiB\""), &faults,
		how, sizeof(how)));
	cr_assert(plans(LISTENERS(",\"max_connections\":3", ""), &faults, how, sizeof(how)));
	cr_assert(plans("{\"pipelines\":{\"p\":{\"from\":{\"tcp\":\":1\"},\"to\":[{\"null\":{},"
			"\"stages\":[\"split\"]},{\"null\":{},"
			"\"stages\":[\"decompress\",\"split\"]}]}}}",
		&faults, how, sizeof(how)));
	faults_close(&faults);
}

Test(decompress, stands_before_the_split)
{
	struct faults faults = { 0 };
	cr_assert_not(plans("{\"pipelines\":{\"p\":{\"from\":\"stdin\",\"stages\":[\"split\","
			    "\"decompress\"],\"to\":\"stdout\"}}}",
		&faults, NULL, 0));
	cr_assert_eq(faults.errors, 1);
	cr_assert_str_eq(faults.items[0].remedy, "put it before the split");
	faults_close(&faults);
	faults = (struct faults){ 0 };
	cr_assert(plans("{\"pipelines\":{\"p\":{\"from\":{\"stdin\":{},\"stages\":[\"decompress\","
			"\"split\"]},\"to\":\"stdout\"}}}",
		&faults, (char[160]){ 0 }, 160));
	cr_assert(plans("{\"pipelines\":{\"p\":{\"from\":\"stdin\",\"stages\":[\"decompress\"],"
			"\"to\":\"stdout\"}}}",
		&faults, (char[160]){ 0 }, 160));
	faults_close(&faults);
}
