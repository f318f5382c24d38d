/* Reading: one asynchronous read at a time, from a file into fresh buffers, and from there into a batch.
 *
 *     idle ── begin ──▶ in flight ── the loop ──▶ back ── deliver, until all is put ──▶ idle
 *
 * Buffers are taken when a read begins, as many as the file is likely to fill, and what was not filled goes back at
 * once. What is left of the last one is the start of the next read, whatever file that is of: so a thousand files that
 * trickle share one buffer.
 */
#pragma once

#include "pipeline/io/loop.h"
#include "pipeline/node.h"

struct file_reader {
	struct io_operation operation; /* first: the reader is found by it */
	struct node *node;
	struct buffer **buffers; /* under read */
	struct iovec *pieces;    /* what of them is still to be filled, then still to be put */
	uint32_t most, count;    /* buffers */
	uint32_t readers;        /* that share what the node may have under read */
	uint32_t at;             /* the buffer that is put from next */
	uint32_t left;           /* bytes that were read and are not put yet */
	int result;              /* of the last read: bytes, 0 at the end, or −errno */
	bool back;               /* the result is there and was not delivered in full */
	struct buffer *rest;
	void *file; /* the owner's: what is being read */
};

/* Memory for a node whose pool is made; `readers` share what it may have under read. False without it. */
bool file_reader_open(struct file_reader *reader, struct node *node, uint32_t readers);
void file_reader_close(struct file_reader *reader);
size_t file_reader_cost(void);

/* Nothing is in flight and nothing is left to deliver. */
static inline bool file_reader_idle(const struct file_reader *reader)
{
	return !reader->operation.in_flight && !reader->back;
}

/* Begins to read about `expected` bytes (at least 1; never more than 256 KiB at once) that `out` has room for. False if
 * there is no buffer or no room. */
bool file_reader_begin(struct file_reader *reader, const struct batch *out, int fd, uint64_t offset,
	uint64_t expected);

/* Puts what was read as views of `stream`, at most `quota` bytes, which it lessens. True when nothing is left: the
 * reader is idle then, and `result` says what came. */
bool file_reader_deliver(
	struct file_reader *reader, struct batch *out, uint32_t stream, uint64_t *quota);

/* What was read and not put is as if it had not been read: `result` says how much was put. */
void file_reader_give_back(struct file_reader *reader);

/* Lets go of the buffer that it keeps for the next read. */
void file_reader_rest(struct file_reader *reader);

/* Puts an empty view that ends the stream (`mark`: VIEW_END or VIEW_BROKEN). False if there is no room. */
bool file_reader_end(struct batch *out, uint32_t stream, uint32_t mark);
