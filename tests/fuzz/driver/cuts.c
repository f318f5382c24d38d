/* Runs whole and cut, and what of them must be the same. */

#include "tests/fuzz/driver/cuts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const buffers[] = { "16B", "17B", "31B", "64B", "256B", "4KiB" };
static const size_t turns[] = { 1, 2, 5, 13, 34, 89, 233, 610 };

enum { SEGMENTS = CUTS_MOST + CUTS_STREAMS + 1 };

bool cuts_are_plain(const uint8_t *head)
{
	return (head[3] & (CUTS_STREAMS | CUTS_BROKEN | CUTS_ENDINGS)) == 0;
}

/* The bytes dealt out to the streams, turn by turn, then the end of each. */
static size_t deal(struct segment *segments, const uint8_t *head, const char *data, size_t size)
{
	uint32_t streams = 1 + (head[3] & CUTS_STREAMS), number = 0;
	bool endings = head[3] & CUTS_ENDINGS;
	size_t turn = streams > 1 || endings ? turns[head[3] / CUTS_TURNS] : CUTS_MOST;
	size_t count = 0;

	for (size_t at = 0; at < size; at += turn, number = (number + 1) % streams)
		segments[count++] = (struct segment){ .stream = number,
			.data = data + at,
			.size = turn < size - at ? turn : size - at,
			.flags = endings ? VIEW_END : 0 };
	for (number = 0; number < streams; number++)
		segments[count++] =
			(struct segment){ .stream = number, .data = data, .flags = VIEW_END };
	if (head[3] & CUTS_BROKEN)
		segments[count - 1].flags = VIEW_BROKEN;
	return count;
}

static void run(struct bench *bench, const uint8_t *head, const void *data, size_t size)
{
	static struct segment segments[SEGMENTS];

	bench->memory = "1MiB";
	bench->segments = segments;
	bench->segment_count = deal(segments, head, data, size);
	bench->sockets = head[3] & CUTS_SOCKETS;
	bench_run(bench);
	if (bench_balances(bench))
		return;
	fprintf(stderr, "out of balance: %s, buffers of %s\n", bench->stages, bench->buffer);
	abort();
}

struct bench cuts_whole(const char *stages, const uint8_t *head, const void *data, size_t size)
{
	struct bench bench = {
		.stages = stages, .buffer = "4KiB", .chunk = CUTS_MOST, .speed = UINT64_MAX
	};

	run(&bench, head, data, size);
	return bench;
}

static void fail(
	const struct bench *cut, const char *node, const char *what, uint64_t is, uint64_t expected)
{
	fprintf(stderr,
		"%s, buffers of %s, chunks of %zu, seed %u, speed %" PRIu64 ": %s, %s: %" PRIu64
		", not %" PRIu64 "\n",
		cut->stages, cut->buffer, cut->chunk, cut->seed, cut->speed, node, what, is,
		expected);
	abort();
}

static void compare_node(const struct bench *cut, const struct bench *whole, size_t i)
{
	const struct node_report *is = &cut->reports[i], *expected = &whole->reports[i];
	const struct account *a = &is->account, *b = &expected->account;
	const struct {
		const char *what;
		uint64_t is, expected;
	} rows[] = {
		{ "records in", is->records_in, expected->records_in },
		{ "records out", is->records_out, expected->records_out },
		{ "bytes out", is->bytes_out, expected->bytes_out },
		{ "held", is->held, 0 },
		{ "found", a->found, b->found },
		{ "filtered", a->filtered, b->filtered },
		{ "truncated", a->truncated, b->truncated },
	};

	for (size_t row = 0; row < COUNT(rows); row++)
		if (rows[row].is != rows[row].expected)
			fail(cut, cut->names[i], rows[row].what, rows[row].is, rows[row].expected);
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		if (a->dropped[reason] != b->dropped[reason])
			fail(cut, cut->names[i], drop_reason_name(reason), a->dropped[reason],
				b->dropped[reason]);
}

void cuts_compare(const struct bench *whole, const uint8_t *head, const void *data, size_t size)
{
	struct bench cut = { .stages = whole->stages,
		.buffer = buffers[head[0] % COUNT(buffers)],
		.chunk = head[1] < 128 ? head[1] : 0,
		.seed = head[1],
		.speed = head[2] == UINT8_MAX ? UINT64_MAX : head[2] };

	run(&cut, head, data, size);
	for (size_t i = 1; i < cut.nodes; i++)
		compare_node(&cut, whole, i);
	if (cut.out_size[0] != whole->out_size[0])
		fail(&cut, "output", "bytes", cut.out_size[0], whole->out_size[0]);
	for (size_t at = 0; at < cut.out_size[0]; at++)
		if (cut.out[0][at] != whole->out[0][at])
			fail(&cut, "output", "differs at", at, cut.out_size[0]);
	bench_free(&cut);
}

void cuts_check(const char *stages, const uint8_t *head, const void *data, size_t size)
{
	struct bench whole = cuts_whole(stages, head, data, size);

	cuts_compare(&whole, head, data, size);
	bench_free(&whole);
}
