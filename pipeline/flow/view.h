/* Views: read-only slices of a buffer, in the manner of Python's memoryview.
 *
 * A view keeps its buffer alive. Assigning one struct to another *moves* it: the old one is dead. view_slice() makes
 * another view of the same bytes. Every view ends in exactly one of: put into a batch, written, dropped, rejected.
 *
 * What the tag says depends on the edge that the view travels on:
 *
 *   bytes    the stream that the bytes belong to, and VIEW_END (the stream ends behind them) or VIEW_BROKEN (it was
 *            reset: what is unfinished is lost). An end without bytes is an empty view.
 *   records  how many records end in the view. With 0 the record goes on in the next view; otherwise the view ends at
 *            a record's end. VIEW_BARE: its last record lacks its delimiter. VIEW_APART: it is one record, whose
 *            borders cannot be found again, so it is not joined with the next.
 *   frames   as for records: the last view of a frame carries the number of records inside.
 */
#pragma once

#include "pipeline/flow/buffer.h"

#define VIEW_END 0x80000000u     /* bytes */
#define VIEW_BROKEN 0x40000000u  /* bytes */
#define VIEW_STREAM 0x3fffffffu  /* bytes: the stream's number */
#define VIEW_BARE 0x80000000u    /* records */
#define VIEW_APART 0x40000000u   /* records */
#define VIEW_RECORDS 0x3fffffffu /* records: how many end here */

struct view {
	const char *data;
	uint32_t size;         /* bytes */
	uint32_t tag;          /* see above */
	struct buffer *buffer; /* NULL if the bytes are static */
};

/* A view of bytes that outlive every batch (a delimiter, a constant). */
static inline struct view view_of_static(const char *data, uint32_t size)
{
	return (struct view){ .data = data, .size = size };
}

/* A view of `size` published bytes of `buffer` from `offset`; false, and nothing made, if that is out of bounds. */
bool view_of_buffer(struct buffer *buffer, uint32_t offset, uint32_t size, struct view *view);

/* Freezes the next `size` bytes of `buffer` and gives a view of them. At most buffer_room() bytes. */
struct view view_publish(struct buffer *buffer, uint32_t size);

/* Another view of `size` bytes of `view`, from `offset`, with no tag. False, and nothing made, if that is out of its
 * bounds or the view was dropped. */
static inline bool view_slice(
	const struct view *view, uint32_t offset, uint32_t size, struct view *slice)
{
	if (!view->data || offset > view->size || size > view->size - offset)
		return false;
	if (view->buffer)
		buffer_hold(view->buffer);
	*slice = (struct view){ .data = view->data + offset, .size = size, .buffer = view->buffer };
	return true;
}

/* Shortens the view from the front. At most its size. */
static inline void view_chop(struct view *view, uint32_t size)
{
	view->data += size;
	view->size -= size;
}

/* Lets go of the buffer and empties the view. Dropping it again does nothing. */
static inline void view_drop(struct view *view)
{
	buffer_release(&view->buffer);
	*view = (struct view){ 0 };
}

/* True if `next` continues `view` in the same buffer. */
static inline bool view_adjoins(const struct view *view, const struct view *next)
{
	return view->buffer == next->buffer && view->buffer &&
	       view->data + view->size == next->data;
}

static inline uint32_t view_records(const struct view *view)
{
	return view->tag & VIEW_RECORDS;
}

static inline uint32_t view_stream(const struct view *view)
{
	return view->tag & VIEW_STREAM;
}
