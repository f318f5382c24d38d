/* What targets share that cut a stream: it is run whole and in pieces, and the two must be alike. */
#pragma once

#include "tests/support/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE(list, byte) ((list)[(byte) % (sizeof(list) / sizeof(*(list)))])

/* How the bytes come, and how they are let go. */
struct cutting {
	const char *buffer;
	size_t chunk; /* 0: random, by the seed */
	uint64_t speed;
	unsigned seed;
};

/* By three bytes of the input. */
static inline struct cutting cutting_chosen(uint8_t buffer, uint8_t chunk, uint8_t speed)
{
	static const char *const buffers[] = { "16B", "17B", "31B", "64B", "256B", "4KiB" };
	return (struct cutting){ .buffer = CHOICE(buffers, buffer),
		.chunk = chunk < 128 ? chunk : 0,
		.speed = speed == 255 ? UINT64_MAX : speed,
		.seed = chunk };
}

static inline struct cutting cutting_none(void)
{
	return (struct cutting){ .buffer = "4KiB", .chunk = SIZE_MAX, .speed = UINT64_MAX };
}

static inline struct bench cutting_run(
	const char *stages, const struct segment *segment, struct cutting cutting)
{
	struct bench bench = { .stages = stages,
		.memory = "4MiB",
		.buffer = cutting.buffer,
		.segments = segment,
		.segment_count = 1,
		.chunk = cutting.chunk,
		.speed = cutting.speed,
		.seed = cutting.seed };
	bench_run(&bench);
	if (bench_balances(&bench))
		return bench;
	fprintf(stderr, "out of balance: %s, buffers of %s\n", stages, cutting.buffer);
	abort();
}

static inline void cutting_fail(const struct bench *cut, const struct bench *whole)
{
	fprintf(stderr,
		"%s, buffers of %s, chunks of %zu, seed %u, speed %llu: %zu bytes, not %zu\n",
		cut->stages, cut->buffer, cut->chunk, cut->seed, (unsigned long long)cut->speed,
		cut->out_size[0], whole->out_size[0]);
	abort();
}

/* The first bytes, as many as both have. */
static inline bool cutting_begins_alike(const struct bench *a, const struct bench *b)
{
	size_t size = a->out_size[0] < b->out_size[0] ? a->out_size[0] : b->out_size[0];
	return size == 0 || memcmp(a->out[0], b->out[0], size) == 0;
}

static inline void cutting_compare(const struct bench *cut, const struct bench *whole)
{
	if (cut->out_size[0] != whole->out_size[0] || !cutting_begins_alike(cut, whole))
		cutting_fail(cut, whole);
}
