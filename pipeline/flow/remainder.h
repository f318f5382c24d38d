/* Remainders: the unfinished records of streams, and what they may pin.
 *
 * What arrived of a record whose end has not come yet is a list of pieces, views of pool buffers. A few slow streams
 * could so pin the whole pool, each byte a buffer. Therefore all remainders together pin at most a quota of buffers,
 * counted exactly: a buffer that any number of pieces lie in counts once. Over the quota, what a stream adds is copied
 * aside, each byte once: a remainder under 2 KiB into an aside block, a larger one behind others into a pool buffer that
 * they share. A list that grows too long has its small pieces packed together. All such copies are counted (`aside`).
 *
 *     stream 3:  [ 64 KiB ][ 64 KiB ][ 200 B ]            views of what was received
 *     stream 4:  [ 1.2 KiB ]                              over the quota: in an aside block
 */
#pragma once

#include "pipeline/flow/copy.h"
#include "pipeline/flow/view.h"

enum { ASIDE_BLOCK = 2048 };

struct piece;
struct remainder;

struct remainders {
	struct remainder *streams; /* by number */
	uint32_t stream_count;
	struct piece *pieces;
	uint32_t free_piece, free_pieces;
	uint32_t most_pieces;       /* of one stream */
	uint32_t pinned, pin_quota; /* buffers of the pool */
	uint32_t aside_used;        /* aside blocks that unfinished records lie in */
	uint32_t
		aside_own; /* how many of them come back some time; all, unless the owner says less: drop
	                       branches may keep the others */
	struct pool *pool, *aside;
	struct buffer *pack; /* where packed pieces go */
	struct copies *copies;
};

/* `aside_blocks` blocks are kept for small remainders; `most_pieces` is the longest that a list may become; `copies` is
 * where copying is counted. False without memory. */
bool remainders_open(struct remainders *remainders, uint32_t streams, uint32_t aside_blocks,
	uint32_t most_pieces, uint32_t pin_quota, struct pool *pool, struct copies *copies);

/* Drops all. A zeroed struct is allowed. */
void remainders_close(struct remainders *remainders);

/* The memory that they take beside the pool. */
size_t remainders_cost(
	uint32_t streams, uint32_t aside_blocks, uint32_t most_pieces, uint32_t pin_quota);

enum remainder_result {
	REMAINDER_KEPT,
	REMAINDER_WAITS, /* nothing was added: a buffer is needed and none is free */
	REMAINDER_OVER /* kept, but the quota is exceeded although all was packed: some stream must lose its record */
};

/* Adds bytes of the stream's unfinished record. Moves the view, unless the answer is REMAINDER_WAITS. */
enum remainder_result remainder_add(
	struct remainders *remainders, uint32_t stream, struct view *view);

/* Bytes and pieces that the stream has. */
uint64_t remainder_size(const struct remainders *remainders, uint32_t stream);
uint32_t remainder_pieces(const struct remainders *remainders, uint32_t stream);

/* Moves the first `size` bytes (all, if it has no more) into `views`, with tag 0. At most remainder_pieces() views; gives
 * their number. */
uint32_t remainder_take(
	struct remainders *remainders, uint32_t stream, uint64_t size, struct view *views);

/* Copies `size` bytes from `offset` of what the stream has, for examination only (counted in `peeked`). */
void remainder_peek(const struct remainders *remainders, uint32_t stream, uint64_t offset, char *to,
	uint32_t size, uint64_t *peeked);

/* Forgets all but the first `size` bytes. */
void remainder_cut(struct remainders *remainders, uint32_t stream, uint64_t size);

/* The stream whose remainder has most bytes. */
uint32_t remainder_largest(const struct remainders *remainders);
