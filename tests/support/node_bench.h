/* A bench for one source or sink: a real loop and kernel, a pool, one batch, and no engine.
 *
 *     struct node_bench bench = { .room = 2 };
 *     node_bench_make(&bench, wish, &source_tcp.type, NODE_SOURCE, "\"127.0.0.1:0\"");
 *     node_bench_open(&bench);
 *     NODE_BENCH_UNTIL(&bench, bench.batch.count > 0);
 *     node_bench_close(&bench);
 */
#pragma once

#include "pipeline/io/loop.h"
#include "pipeline/plan.h"

#include <criterion/criterion.h>

struct node_bench {
	/* Set before it is made; zero is the default. */
	uint32_t buffers, buffer_size, room;
	enum flow_kind kind; /* of a sink's input */
	const struct framing *framing;
	uint64_t quota;

	struct loop *loop;
	struct document document;
	struct faults faults;
	struct pipeline pipeline;
	struct pool *pool;
	struct batch batch;
	struct node node;
};

enum { NODE_BENCH_MOST_TURNS = 20000, NODE_BENCH_WAIT_MS = 10 };

/* Makes the node and reads its options from `json`, the value of its kind key (NULL: none). */
void node_bench_make(struct node_bench *bench, enum loop_wish wish, const struct node_type *type,
	enum node_role role, const char *json);

/* Opens the node; it must be able to. */
void node_bench_open(struct node_bench *bench);

/* The node's read or write, then a turn of the loop. It waits at most `limit_ms`, not beyond the node's due, and not at
 * all if the node moved something. */
void node_bench_turn(struct node_bench *bench, int limit_ms);

/* Turns until the condition holds; it must, some time. */
#define NODE_BENCH_UNTIL(bench, condition)                                                         \
	do {                                                                                       \
		int turns = NODE_BENCH_MOST_TURNS;                                                 \
		while (!(condition) && turns-- > 0)                                                \
			node_bench_turn(bench, NODE_BENCH_WAIT_MS);                                \
		cr_assert(condition, "this never came true: " #condition);                         \
	} while (0)

/* Halts, waits until nothing is in flight, closes; all buffers must be back. */
void node_bench_close(struct node_bench *bench);

/* Puts a view of `size` bytes with this tag into a sink's input; there must be room. */
void node_bench_put(struct node_bench *bench, const char *data, size_t size, uint32_t tag);

/* Lets `body` run on each backend; uring is left out, aloud, where it is refused. */
void node_bench_on_both(void (*body)(enum loop_wish wish));

/* What a source brought of its streams. */
enum { TAKEN_STREAMS = 64 };

struct taken_stream {
	char *data;
	size_t size;
	bool ended, broken;
};

struct taken {
	struct taken_stream streams[TAKEN_STREAMS]; /* by number, from the node's first */
	uint32_t views, ends;
	size_t bytes;
};

/* Takes all that lies in the batch. A stream that begins again after its end is counted, its data go on behind. */
void taken_take(struct taken *taken, struct node_bench *bench);
void taken_close(struct taken *taken);
