/* The bench: runs stages in the real engine between a source and a sink of its own.
 *
 * Chunk size, buffer size and the sink's speed are the caller's; the bytes that come out, the accounts and whether every
 * buffer came back are what it tells. One bench a process at a time (Criterion runs each test in its own).
 */
#pragma once

#include "pipeline/engine.h"

/* What the source gives, one behind the other; the next segment begins when this one is read. */
struct segment {
	uint32_t stream; /* 0 … 63 */
	const char *data;
	size_t size;
	uint32_t flags; /* VIEW_END, VIEW_BROKEN behind it */
};

struct bench {
	/* What is run. */
	const char *stages; /* the JSON of the list */
	const char *
		from; /* the JSON of "from": several "bench", which share the segments by stream; NULL: one */
	const char *to;             /* the JSON of "to"; NULL: one sink, "bench" */
	const char *memory;         /* the pipeline's own: "64KiB"; NULL: the default */
	const char *buffer;         /* "16B" */
	const char *service_memory; /* "512MiB"; NULL: the default */
	const struct segment *segments;
	size_t segment_count;
	size_t chunk; /* bytes a view at most; 0: random, by the seed */
	uint64_t
		speed; /* bytes that a sink takes a call; 0: random, by the seed; UINT64_MAX: all */
	unsigned seed;
	bool sockets;      /* unterminated records are completed */
	uint64_t epoch_ms; /* how often epochs start; 0: only at the end */
	const char *
		stuck; /* the name of a sink that never takes anything ("bench.to.1"), until the source has ended */

	/* What came of it. */
	char *out[8]; /* by sink, in data order; NUL behind */
	size_t out_size[8];
	size_t sinks, sources;
	uint64_t copied; /* by all nodes */
	struct node_report reports[16];
	const char *names[16];
	size_t nodes;
	uint32_t most_used; /* buffers */
	unsigned commits;
	uint64_t committed[64]; /* by stream: the last committed position */
	bool commits_went_back, /* one was lower than the one before it */
		commit_unsafe;  /* one was beyond what the sinks had */
};

/* Runs it to its end; fails the test where the plan is refused or a buffer does not come back. */
void bench_run(struct bench *bench);

/* The report of a node by its full name. */
const struct node_report *bench_report(const struct bench *bench, const char *name);

/* in = out + filtered + dropped + held, at every node that counts records. */
bool bench_balances(const struct bench *bench);

void bench_free(struct bench *bench);

/* A small generator of its own (splitmix64), so that a seed means the same everywhere. */
uint64_t random_next(uint64_t *state);

/* One in [0, below). */
uint64_t random_below(uint64_t *state, uint64_t below);
