/* The engine: branches, back-pressure, quotas and epochs, with the bench's source and sinks. */

#include "tests/support/bench.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 2000 };

static uint64_t seeded(void)
{
	chance_begin();
	return chance_seed();
}

/* `lines` numbered lines of different length; to be freed. */
static char *numbered(unsigned lines, const char *name, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	cr_assert(file);
	for (unsigned i = 0; i < lines; i++)
		fprintf(file, "%s %u %.*s\n", name, i, (int)(i * 7 % 60),
			"............................................................");
	fclose(file);
	return text;
}

Test(engine, branches_get_the_same_bytes_and_none_is_copied)
{
	uint64_t random = seeded();
	size_t size;
	char *text = numbered(LINES, "line", &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	static const char *const buffers[] = { "16B", "32B", "100B", "4KiB", "64KiB" };
	for (size_t i = 0; i < 5; i++) {
		struct bench bench = { .stages = "[\"split\"]",
			.to = NULL,
			.memory = "4MiB",
			.buffer = buffers[i],
			.segments = &segment,
			.segment_count = 1,
			.seed = (unsigned)random_next(&random) };
		bench.to = "[\"bench\",{\"stages\":[{\"filter\":\"line\"}],\"to\":[\"bench\","
			   "\"bench\"]},\"bench\"]";
		bench_run(&bench);
		cr_assert_eq(bench.sinks, 4);
		for (size_t k = 0; k < 4; k++) {
			cr_assert_eq(bench.out_size[k], size, "sink %zu", k);
			cr_assert_eq(memcmp(bench.out[k], text, size), 0);
		}
		cr_assert_eq(bench.copied, 0);
		cr_assert(bench_balances(&bench));
		bench_free(&bench);
	}
	free(text);
}

Test(engine, a_stuck_drop_branch_loses_its_newest_records_and_nobody_elses)
{
	size_t size;
	char *text = numbered(LINES, "line", &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[\"split\"]",
		.to = "[\"bench\",{\"bench\":{},\"when_full\":\"drop\"}]",
		.memory = "256KiB",
		.buffer = "64B",
		.segments = &segment,
		.segment_count = 1,
		.seed = 1,
		.speed = UINT64_MAX,
		.stuck = "bench.to.1" };
	bench_run(&bench);
	const struct node_report *stuck = bench_report(&bench, "bench.to.1");
	cr_assert_eq(bench.out_size[0], size);
	cr_assert_eq(memcmp(bench.out[0], text, size), 0);
	cr_assert_lt(bench.out_size[1], size);
	cr_assert_gt(bench.out_size[1], 0);
	cr_assert_eq(memcmp(bench.out[1], text, 64), 0, "the oldest are kept");
	cr_assert_eq(bench.out[1][bench.out_size[1] - 1], '\n', "records are whole");
	cr_assert_eq(stuck->records_in, LINES);
	cr_assert_eq(stuck->records_out + stuck->account.dropped[DROP_WHEN_FULL], LINES);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	free(text);
}

/* Every stream sends its lines a few bytes at a time, in turn. */
static struct segment *interleaved(
	uint64_t *random, unsigned streams, char **texts, size_t *sizes, size_t most, size_t *count)
{
	size_t *at = calloc(streams, sizeof(*at)), room = 0;
	for (unsigned i = 0; i < streams; i++)
		room += sizes[i] + 1;
	struct segment *segments = calloc(room, sizeof(*segments));
	cr_assert(at && segments);
	*count = 0;
	for (unsigned open = streams; open > 0;) {
		unsigned i = (unsigned)random_below(random, streams);
		if (at[i] > sizes[i])
			continue;
		size_t size = 1 + random_below(random, most);
		if (size > sizes[i] - at[i])
			size = sizes[i] - at[i];
		bool last = at[i] + size == sizes[i];
		segments[(*count)++] = (struct segment){ .stream = i,
			.data = texts[i] + at[i],
			.size = size,
			.flags = last ? VIEW_END : 0 };
		at[i] += last ? size + 1 : size;
		open -= last;
	}
	free(at);
	return segments;
}

/* The lines of one stream in the output, one behind the other. */
static char *lines_of(const char *out, const char *name)
{
	char *text = NULL, prefix[32];
	size_t size;
	FILE *file = open_memstream(&text, &size);
	snprintf(prefix, sizeof(prefix), "%s ", name);
	for (const char *line = out; *line;) {
		const char *end = strchr(line, '\n');
		cr_assert(end);
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			fwrite(line, 1, (size_t)(end + 1 - line), file);
		line = end + 1;
	}
	fclose(file);
	return text;
}

static void trickle(
	uint64_t *random, unsigned streams, const char *buffer, const char *memory, bool copies)
{
	char *texts[64], names[64][16];
	size_t sizes[64], count, total = 0;
	for (unsigned i = 0; i < streams; i++) {
		snprintf(names[i], sizeof(names[i]), "s%u", i);
		texts[i] = numbered(60, names[i], &sizes[i]);
		total += sizes[i];
	}
	struct segment *segments = interleaved(random, streams, texts, sizes, 9, &count);
	struct bench bench = { .stages =
				       "[{\"split\":{\"on\":\"newline\",\"max_record\":\"200B\"}}]",
		.buffer = buffer,
		.memory = memory,
		.segments = segments,
		.segment_count = count,
		.chunk = 1000,
		.seed = (unsigned)random_next(random) };
	bench_run(&bench);
	cr_assert_eq(bench.out_size[0], total, "%u streams, buffer %s: %zu of %zu bytes", streams,
		buffer, bench.out_size[0], total);
	for (unsigned i = 0; i < streams; i++) {
		char *lines = lines_of(bench.out[0], names[i]);
		cr_assert_str_eq(lines, texts[i], "stream %u, buffer %s", i, buffer);
		free(lines);
	}
	cr_assert_eq(bench.copied > 0, copies, "%u streams, buffer %s: %llu copied", streams,
		buffer, (unsigned long long)bench.copied);
	cr_assert_eq(bench_report(&bench, "bench.split")->account.dropped[DROP_MEMORY], 0);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	for (unsigned i = 0; i < streams; i++)
		free(texts[i]);
	free(segments);
}

Test(engine, streams_that_trickle_are_kept_apart_and_pin_no_more_than_their_quota)
{
	uint64_t random = seeded();
	trickle(&random, 2, "64KiB", "4MiB", false);
	trickle(&random, 64, "64KiB", "4MiB", false);
	trickle(&random, 64, "64B", "200KiB", true);
	trickle(&random, 64, "32B", "200KiB", true);
	trickle(&random, 64, "256B", "212KiB", false);
	trickle(&random, 64, "256B", "180KiB", true);
}

Test(engine, a_broken_stream_loses_its_partial_record_only)
{
	struct segment segments[] = {
		{ .stream = 1, .data = "one\ntw", .size = 6, .flags = VIEW_BROKEN },
		{ .stream = 2, .data = "three\nfo", .size = 8 },
		{ .stream = 1, .data = "five\nsix", .size = 8, .flags = VIEW_END },
		{ .stream = 2, .data = "ur\n", .size = 3, .flags = VIEW_END },
	};
	struct bench bench = { .stages = "[\"split\"]",
		.segments = segments,
		.segment_count = 4,
		.chunk = 3,
		.sockets = true,
		.speed = UINT64_MAX };
	bench_run(&bench);
	cr_assert_str_eq(bench.out[0], "one\nthree\nfive\nsix\nfour\n");
	cr_assert_eq(bench_report(&bench, "bench.split")->account.dropped[DROP_CUT], 1);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
}

Test(engine, bare_records_are_parted_where_records_become_bytes)
{
	struct segment segments[] = {
		{ .stream = 1, .data = "one\ntwo", .size = 7, .flags = VIEW_END },
		{ .stream = 2, .data = "three", .size = 5, .flags = VIEW_END },
		{ .stream = 3, .data = "four\n", .size = 5, .flags = VIEW_END },
		{ .stream = 1, .data = "five", .size = 4, .flags = VIEW_END },
	};
	for (uint64_t speed = 1; speed < 8; speed++) {
		struct bench bench = { .stages = "[\"split\"]",
			.segments = segments,
			.segment_count = 4,
			.chunk = 2,
			.speed = speed };
		bench_run(&bench);
		cr_assert_str_eq(bench.out[0], "one\ntwo\nthree\nfour\nfive");
		bench_free(&bench);
	}
}

/* What is committed lies at a record's border, never goes back, and is never beyond what every sink has. */
Test(engine, epochs_commit_what_is_safe)
{
	uint64_t random = seeded();
	size_t size;
	char *text = numbered(30000, "line", &size);
	struct segment segment = { .data = text, .size = size - 10, .flags = 0 };
	struct bench bench = { .stages = "[\"split\"]",
		.buffer = "256B",
		.memory = "200KiB",
		.segments = &segment,
		.segment_count = 1,
		.seed = (unsigned)random_next(&random),
		.epoch_ms = 1 };
	bench_run(&bench);
	cr_assert_gt(bench.commits, 2, "%u commits", bench.commits);
	cr_assert_not(bench.commits_went_back);
	cr_assert_not(bench.commit_unsafe);
	cr_assert_eq(text[bench.committed[0] - 1], '\n', "at a record's border");
	cr_assert_eq(
		bench.committed[0], bench.out_size[0], "the unfinished record is not committed");
	bench_free(&bench);
	free(text);
}

Test(engine, epochs_pass_stages_that_hold_back_and_branches_and_wait_for_no_drop_branch)
{
	uint64_t random = seeded();
	size_t size;
	char *text = numbered(60000, "line", &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[{\"split\":{\"on\":\"newline\",\"max_record\":\"2KiB\"}}"
					 ",{\"filter\":\"line\"}]",
		.to = "[\"bench\",{\"bench\":{},\"stages\":[{\"compress\":{\"codec\":\"zstd\","
		      "\"level\":1}}]},"
		      "{\"bench\":{},\"when_full\":\"drop\"}]",
		.buffer = "1KiB",
		.memory = "16MiB",
		.segments = &segment,
		.segment_count = 1,
		.seed = (unsigned)random_next(&random),
		.stuck = "bench.to.2",
		.speed = 4000,
		.epoch_ms = 1 };
	bench_run(&bench);
	cr_assert_gt(bench.commits, 1);
	cr_assert_eq(bench.committed[0], size);
	cr_assert_eq(bench.out_size[0], size);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	free(text);
}

Test(engine, thin_survivors_do_not_hold_the_pool)
{
	size_t size;
	char *text = numbered(40000, "line", &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[\"split\",{\"filter\":\" 77\"}]",
		.to = "[{\"bench\":{},\"stages\":[]}]",
		.buffer = "4KiB",
		.memory = "310KiB",
		.segments = &segment,
		.segment_count = 1,
		.seed = 3,
		.speed = 7 };
	bench_run(&bench);
	cr_assert(bench_balances(&bench));
	cr_assert_gt(bench_report(&bench, "bench.to.0")->records_out, 0);
	bench_free(&bench);
	free(text);
}

/* How many of the first `lines` lines of the output begin with `name`. */
static unsigned among_first(const char *out, unsigned lines, const char *name)
{
	unsigned count = 0;
	for (; lines > 0; lines--) {
		count += strncmp(out, name, strlen(name)) == 0;
		out = strchr(out, '\n') + 1;
	}
	return count;
}

/* A source with ordinary lines beside one whose lines lie in many buffers each. */
static void take_turns(const char *from, const char *stages)
{
	size_t size, large_size = 0;
	char *text = numbered(LINES, "small", &size), *large = calloc(300, 400);
	cr_assert(large);
	for (unsigned i = 0; i < 300; i++)
		large_size += (size_t)sprintf(large + large_size, "large %0300u\n", i);
	struct segment segments[] = {
		{ .stream = 0, .data = text, .size = size, .flags = VIEW_END },
		{ .stream = 1, .data = large, .size = large_size, .flags = VIEW_END }
	};
	struct bench bench = { .from = from,
		.stages = stages,
		.buffer = "16B",
		.memory = "800KiB",
		.segments = segments,
		.segment_count = 2,
		.chunk = 1000,
		.speed = 64 };
	bench_run(&bench);
	cr_assert_eq(bench.out_size[0], size + large_size);
	unsigned count = among_first(bench.out[0], 300, "large");
	cr_assert_gt(count, 20, "%s: %u of 300", from, count);
	cr_assert_lt(count, 280, "%s: %u of 300", from, count);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	free(text);
	free(large);
}

Test(engine, sources_that_meet_starve_neither)
{
	const char *split = "{\"split\":{\"on\":\"newline\",\"max_record\":\"400B\"}}";
	char both[512], one[256];
	snprintf(both, sizeof(both),
		"[{\"bench\":{},\"stages\":[%s]},{\"bench\":{},\"stages\":[%s]}]", split, split);
	take_turns(both, "[]");
	snprintf(one, sizeof(one), "[%s]", split);
	take_turns("[\"bench\",\"bench\"]", one);
}
