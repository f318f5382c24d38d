/* A batch: the bounded queue of views between two nodes.
 *
 * One node fills it, the next empties it; that it is full is the only back-pressure there is. It is record-atomic: the
 * views of a record enter together or not at all. Neighbours (adjoining bytes of one buffer) are joined at once, unless
 * that would hide where a record ends or lie across an epoch's mark. Entering and leaving bytes and records are
 * counted here, once, for every node.
 *
 *       put ──▶ [ view | view | view | … ] ──▶ take, or peek and advance
 *                              ▲ mark: what stands before it belongs to the epoch
 */
#pragma once

#include "pipeline/flow/copy.h"
#include "pipeline/flow/view.h"

enum flow_kind { FLOW_BYTES, FLOW_RECORDS, FLOW_FRAMES };

struct flow_count {
	uint64_t views, records, bytes;
};

struct batch {
	struct view *views; /* a ring; `capacity` is a power of two */
	uint32_t capacity;
	uint32_t room_limit; /* how many views may lie in it at once */
	uint32_t head, count;
	enum flow_kind kind;
	bool closed;   /* nothing more will be put */
	bool marked;   /* an epoch's mark lies in it */
	uint64_t mark; /* in views put since the start */
	struct flow_count put, taken;
	uint32_t
		pin_limit; /* 0: none. Otherwise the most pins: a batch that holds as many is full */
	uint32_t lent;     /* views from the first that the kernel is reading: gather's */
	uint32_t pins;     /* views whose buffer differs from the previous view's */
	const struct buffer *last_pinned;
};

/* Makes an empty batch for `room` views. False if there is no memory. */
bool batch_open(struct batch *batch, enum flow_kind kind, uint32_t room);

/* Drops what lies in it and frees its memory. A zeroed batch is allowed. */
void batch_close(struct batch *batch);

/* Drops what lies in it, uncounted: the run is over. */
void batch_empty_out(struct batch *batch);

/* The memory that a batch for `room` views takes. */
size_t batch_cost(uint32_t room);

/* How many views still fit. */
static inline uint32_t batch_room(const struct batch *batch)
{
	if (batch->pin_limit && batch->pins >= batch->pin_limit)
		return 0;
	return batch->room_limit - batch->count;
}

static inline bool batch_empty(const struct batch *batch)
{
	return batch->count == 0;
}

/* Puts one view that stands alone: bytes, or a run that begins and ends at records' borders. Moves the view. False,
 * and nothing moved, if it is full. */
bool batch_put(struct batch *batch, struct view *view);

/* Puts views that belong together (a record's pieces, a frame's), all or none. Moves them. */
bool batch_put_all(struct batch *batch, struct view *views, uint32_t count);

/* Puts further views of the first `count` ready ones of another batch, which stay there: of a record, a run or a frame.
 * There must be room for them. */
void batch_share(struct batch *batch, const struct batch *from, uint32_t count);

/* How many views may be looked at or taken now: all that stand before a mark, or all. */
static inline uint32_t batch_ready(const struct batch *batch)
{
	if (!batch->marked)
		return batch->count;
	uint64_t before = batch->mark - batch->taken.views;
	return before < batch->count ? (uint32_t)before : batch->count;
}

/* The `index`th ready view, for looking only. It stays the batch's. index < batch_ready(). */
static inline const struct view *batch_peek(const struct batch *batch, uint32_t index)
{
	assert(index < batch_ready(batch));
	return &batch->views[(batch->head + index) & (batch->capacity - 1)];
}

/* Takes the first ready view. There must be one. */
struct view batch_take(struct batch *batch);

/* Drops `bytes` bytes and `records` records from the first view, which must be more than that; its tag counts what is
 * left. This is how a stage stops within a run because its output is full. */
void batch_advance(struct batch *batch, uint32_t bytes, uint32_t records);

/* How many of the ready views the first whole record (or run, or frame) takes: the first view with records in its tag
 * ends it. 0 if none is ready whole, which record-atomicity rules out unless the batch is empty. */
uint32_t batch_group(const struct batch *batch);

/* Bytes: true if a view in it, before a mark or behind, is the stream's last. */
bool batch_holds_end(const struct batch *batch, uint32_t stream);

/* Copies views of under a sixteenth of their pool buffer together into spare buffers of `pool` (counted as `thin`), so
 * that what they pin comes back; not those that are lent. True if any was. */
bool batch_pack_thin(struct batch *batch, struct pool *pool, struct copies *copies);

/* Puts an epoch's mark behind what was put so far. One at a time. */
void batch_set_mark(struct batch *batch);

/* True once everything before the mark was taken. */
bool batch_mark_reached(const struct batch *batch);

void batch_clear_mark(struct batch *batch);
