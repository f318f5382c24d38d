/* The bounded, record-atomic queue of views between two nodes. */

#include "pipeline/flow/batch.h"

#include <assert.h>
#include <stdlib.h>

static uint32_t ring_size(uint32_t room)
{
	uint32_t size = 1;
	while (size < room)
		size *= 2;
	return size;
}

bool batch_open(struct batch *batch, enum flow_kind kind, uint32_t room)
{
	assert(room > 0 && room <= UINT32_MAX / 2);
	*batch = (struct batch){ .kind = kind, .room_limit = room, .capacity = ring_size(room) };
	batch->views = calloc(batch->capacity, sizeof(*batch->views));
	return batch->views != NULL;
}

static inline struct view *view_at(const struct batch *batch, uint32_t index)
{
	return &batch->views[(batch->head + index) & (batch->capacity - 1)];
}

void batch_empty_out(struct batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		view_drop(view_at(batch, i));
	batch->count = 0;
	batch->lent = 0;
}

void batch_close(struct batch *batch)
{
	batch_empty_out(batch);
	free(batch->views);
	*batch = (struct batch){ 0 };
}

size_t batch_cost(uint32_t room)
{
	return ring_size(room) * sizeof(struct view);
}

/* Where an epoch's mark lies behind the last view, what comes next must not grow into it. */
static bool mark_is_last(const struct batch *batch)
{
	return batch->marked && batch->mark == batch->put.views;
}

/* Records end at the end of views only: a run is never joined with the head of a record that goes on. */
static bool tags_join(enum flow_kind kind, uint32_t tag, uint32_t next)
{
	switch (kind) {
	case FLOW_BYTES:
		return tag == (next & VIEW_STREAM);
	case FLOW_RECORDS:
		return !(tag & (VIEW_BARE | VIEW_APART)) &&
		       ((tag & VIEW_RECORDS) == 0 || (next & VIEW_RECORDS) > 0) &&
		       (tag & VIEW_RECORDS) + (next & VIEW_RECORDS) <= VIEW_RECORDS;
	case FLOW_FRAMES:
		return tag == 0;
	}
	return false;
}

/* Joined or not, the tag is the sum: the records add up, and a stream's number is the same on both sides. */
static uint32_t tag_joined(enum flow_kind kind, uint32_t tag, uint32_t next)
{
	return kind == FLOW_BYTES ? next : tag + next;
}

static inline bool joins_last(const struct batch *batch, const struct view *view)
{
	if (batch->count == 0 || mark_is_last(batch))
		return false;
	const struct view *last = view_at(batch, batch->count - 1);
	return view_adjoins(last, view) && tags_join(batch->kind, last->tag, view->tag) &&
	       last->size <= UINT32_MAX - view->size;
}

static inline void count_in(struct flow_count *count, enum flow_kind kind, const struct view *view)
{
	count->bytes += view->size;
	if (kind != FLOW_BYTES)
		count->records += view_records(view);
}

static inline void pin(struct batch *batch, const struct view *view)
{
	if (!view->buffer || view->buffer == batch->last_pinned)
		return;
	batch->pins++;
	batch->last_pinned = view->buffer;
}

/* The last view, which it continues, becomes longer. */
static void join(struct batch *batch, const struct view *view)
{
	struct view *last = view_at(batch, batch->count - 1);
	count_in(&batch->put, batch->kind, view);
	last->size += view->size;
	last->tag = tag_joined(batch->kind, last->tag, view->tag);
}

/* It becomes the last one, and is held. */
static inline void append(struct batch *batch, const struct view *view)
{
	count_in(&batch->put, batch->kind, view);
	assert(batch->count < batch->capacity);
	pin(batch, view);
	*view_at(batch, batch->count) = *view;
	batch->count++;
	batch->put.views++;
}

static inline void move_in(struct batch *batch, struct view *view, bool joins)
{
	if (joins) {
		join(batch, view);
		view_drop(view);
		return;
	}
	append(batch, view);
	*view = (struct view){ 0 };
}

bool batch_put(struct batch *batch, struct view *view)
{
	return batch_put_all(batch, view, 1);
}

bool batch_put_all(struct batch *batch, struct view *views, uint32_t count)
{
	assert(!batch->closed);
	assert(count > 0);
	bool joins = joins_last(batch, &views[0]);
	if (count > joins && batch_room(batch) < count - joins)
		return false;
	move_in(batch, &views[0], joins);
	for (uint32_t i = 1; i < count; i++)
		move_in(batch, &views[i], joins_last(batch, &views[i]));
	return true;
}

void batch_share(struct batch *batch, const struct batch *from, uint32_t count)
{
	assert(!batch->closed);
	for (uint32_t i = 0; i < count; i++) {
		const struct view *view = batch_peek(from, i);
		if (joins_last(batch, view)) {
			join(batch, view);
			continue;
		}
		append(batch, view);
		if (view->buffer)
			buffer_hold(view->buffer);
	}
}

/* A pin ends where the next view with a buffer has another one. */
static void unpin_first(struct batch *batch)
{
	const struct view *first = view_at(batch, 0);
	if (!first->buffer)
		return;
	uint32_t next = 1;
	while (next < batch->count && !view_at(batch, next)->buffer)
		next++;
	if (next < batch->count && view_at(batch, next)->buffer == first->buffer)
		return;
	batch->pins--;
	if (next == batch->count)
		batch->last_pinned = NULL;
}

struct view batch_take(struct batch *batch)
{
	assert(batch_ready(batch) > 0);
	assert(batch->lent == 0);
	unpin_first(batch);
	struct view view = *view_at(batch, 0);
	*view_at(batch, 0) = (struct view){ 0 };
	batch->head = (batch->head + 1) & (batch->capacity - 1);
	batch->count--;
	batch->taken.views++;
	count_in(&batch->taken, batch->kind, &view);
	return view;
}

void batch_advance(struct batch *batch, uint32_t bytes, uint32_t records)
{
	assert(batch_ready(batch) > 0);
	struct view *first = view_at(batch, 0);
	assert(bytes < first->size);
	assert(batch->kind == FLOW_BYTES ? records == 0 : records <= view_records(first));
	view_chop(first, bytes);
	first->tag -= records;
	batch->taken.bytes += bytes;
	batch->taken.records += records;
}

uint32_t batch_group(const struct batch *batch)
{
	uint32_t ready = batch_ready(batch);
	if (batch->kind == FLOW_BYTES)
		return ready > 0;
	for (uint32_t i = 0; i < ready; i++)
		if (view_records(view_at(batch, i)) > 0)
			return i + 1;
	return 0;
}

bool batch_holds_end(const struct batch *batch, uint32_t stream)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct view *view = view_at(batch, i);
		if (view->tag & (VIEW_END | VIEW_BROKEN) && view_stream(view) == stream)
			return true;
	}
	return false;
}

static bool is_thin(const struct view *view, const struct pool *pool)
{
	return view->buffer && view->buffer->pool == pool && !view->buffer->packed &&
	       view->size < view->buffer->size / 16;
}

/* A view that moved into `room` instead of where it lay; the same tag. */
static void move_view(struct view *view, struct buffer *room, struct copies *copies)
{
	payload_copy(buffer_end(room), view->data, view->size, COPY_THIN, copies);
	struct view moved = view_publish(room, view->size);
	moved.tag = view->tag;
	view_drop(view);
	*view = moved;
}

/* Counts anew after views were moved. */
static void count_pins(struct batch *batch)
{
	batch->pins = 0;
	batch->last_pinned = NULL;
	for (uint32_t i = 0; i < batch->count; i++)
		pin(batch, view_at(batch, i));
}

bool batch_pack_thin(struct batch *batch, struct pool *pool, struct copies *copies)
{
	struct buffer *room = NULL;
	bool any = false;
	for (uint32_t i = batch->lent; i < batch->count; i++) {
		struct view *view = view_at(batch, i);
		if (!is_thin(view, pool))
			continue;
		if (!room || buffer_room(room) < view->size) {
			buffer_release(&room);
			room = pool_take_spare(pool);
		}
		if (!room)
			break;
		room->packed = true;
		move_view(view, room, copies);
		any = true;
	}
	buffer_release(&room);
	if (any)
		count_pins(batch);
	return any;
}

void batch_set_mark(struct batch *batch)
{
	assert(!batch->marked);
	batch->marked = true;
	batch->mark = batch->put.views;
}

bool batch_mark_reached(const struct batch *batch)
{
	return batch->marked && batch->taken.views >= batch->mark;
}

void batch_clear_mark(struct batch *batch)
{
	batch->marked = false;
}
