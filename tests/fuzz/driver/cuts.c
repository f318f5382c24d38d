/* Runs whole and cut, and what of them must be the same. */

#include "tests/fuzz/driver/cuts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const buffers[] = { "16B", "17B", "31B", "64B", "256B", "4KiB" };
static const size_t turns[] = { 1, 2, 5, 13, 34, 89, 233, 610 };

enum { SEGMENTS = CUTS_MOST + CUTS_STREAMS + 1 };

bool cuts_are_plain(const struct cuts *cuts)
{
	return (cuts->head[3] & (CUTS_STREAMS | CUTS_BROKEN | CUTS_ENDINGS)) == 0;
}

/* The bytes dealt out to the streams, turn by turn, then the end of each. */
static size_t deal(struct segment *segments, const struct cuts *cuts)
{
	uint32_t streams = 1 + (cuts->head[3] & CUTS_STREAMS), number = 0;
	bool endings = cuts->head[3] & CUTS_ENDINGS;
	size_t turn =
		streams > 1 || endings ? CHOICE(turns, cuts->head[3] / CUTS_TURNS) : CUTS_MOST;
	size_t count = 0;

	for (size_t at = 0; at < cuts->size; at += turn, number = (number + 1) % streams) {
		assert(count + streams < SEGMENTS);
		segments[count++] = (struct segment){ .stream = number,
			.data = (const char *)cuts->data + at,
			.size = turn < cuts->size - at ? turn : cuts->size - at,
			.flags = endings ? VIEW_END : 0 };
	}
	for (number = 0; number < streams; number++)
		segments[count++] = (struct segment){ .stream = number, .flags = VIEW_END };
	if (cuts->head[3] & CUTS_BROKEN)
		segments[count - 1].flags = VIEW_BROKEN;
	return count;
}

static struct bench run(const struct cuts *cuts, struct bench bench)
{
	static struct segment segments[SEGMENTS];

	bench.stages = cuts->stages;
	bench.memory = cuts->memory ? cuts->memory : "1MiB";
	bench.segments = segments;
	bench.segment_count = deal(segments, cuts);
	bench.sockets = cuts->head[3] & CUTS_SOCKETS;
	bench_run(&bench);
	if (bench_balances(&bench))
		return bench;
	fprintf(stderr, "out of balance: %s, buffers of %s\n", bench.stages, bench.buffer);
	abort();
}

struct bench cuts_whole(const struct cuts *cuts)
{
	return run(
		cuts, (struct bench){ .buffer = "4KiB", .chunk = CUTS_MOST, .speed = UINT64_MAX });
}

struct bench cuts_cut(const struct cuts *cuts)
{
	const uint8_t *head = cuts->head;

	return run(cuts, (struct bench){ .buffer = CHOICE(buffers, head[0]),
				 .chunk = head[1] < 128 ? head[1] : 0,
				 .seed = head[1],
				 .speed = head[2] == UINT8_MAX ? UINT64_MAX : head[2] });
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

void cuts_compare(const struct bench *cut, const struct bench *whole)
{
	for (size_t i = 1; i < cut->nodes; i++)
		compare_node(cut, whole, i);
	if (cut->out_size[0] != whole->out_size[0])
		fail(cut, "output", "bytes", cut->out_size[0], whole->out_size[0]);
	for (size_t at = 0; at < cut->out_size[0]; at++)
		if (cut->out[0][at] != whole->out[0][at])
			fail(cut, "output", "differs at", at, cut->out_size[0]);
}

struct bench cuts_check(const struct cuts *cuts)
{
	struct bench whole = cuts_whole(cuts), cut = cuts_cut(cuts);

	cuts_compare(&cut, &whole);
	bench_free(&cut);
	return whole;
}
