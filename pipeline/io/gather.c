/* Gathering views into an iovec, and accounting for what of it was written. */

#include "pipeline/io/gather.h"

#include "pipeline/flow/framing.h"

#include <assert.h>
#include <stdlib.h>

bool gather_open(struct gather *gather)
{
	*gather = (struct gather){ 0 };
	gather->pieces = calloc(IO_MOST_PIECES, sizeof(*gather->pieces));
	return gather->pieces != NULL;
}

void gather_close(struct gather *gather)
{
	free(gather->pieces);
	*gather = (struct gather){ 0 };
}

size_t gather_cost(void)
{
	return IO_MOST_PIECES * sizeof(struct iovec);
}

static bool is_bare(const struct batch *batch, const struct view *view)
{
	return batch->kind == FLOW_RECORDS && (view->tag & VIEW_BARE);
}

/* Adds a piece, joined with the last where it adjoins. False: there are as many as may be. */
static bool add(struct gather *gather, const char *data, size_t size)
{
	struct iovec *last = gather->count ? &gather->pieces[gather->count - 1] : NULL;
	gather->bytes += size;
	if (last && (const char *)last->iov_base + last->iov_len == data) {
		last->iov_len += size;
		return true;
	}
	if (gather->count == IO_MOST_PIECES) {
		gather->bytes -= size;
		return false;
	}
	gather->pieces[gather->count++] = (struct iovec){ .iov_base = (char *)(uintptr_t)data, .iov_len = size };
	return true;
}

/* Ends of streams are nothing to write. */
static void take_empty(struct gather *gather, struct batch *batch)
{
	while (gather->written == 0 && batch_ready(batch) > 0 && batch_peek(batch, 0)->size == 0) {
		struct view view = batch_take(batch);
		view_drop(&view);
	}
}

/* The part of the owed delimiter that is not written yet. */
static bool add_delimiter(struct gather *gather, const struct framing *framing, uint32_t written)
{
	return !framing || add(gather, framing->delimiter + written, framing->delimiter_size - written);
}

uint64_t gather_fill(struct gather *gather, struct batch *batch, const struct framing *framing, uint64_t most)
{
	take_empty(gather, batch);
	gather->count = 0;
	gather->bytes = 0;
	gather->delimiter_size = framing ? framing->delimiter_size : 0;
	uint64_t skip = gather->written;
	bool owes = gather->owes_delimiter;
	uint32_t sent = gather->delimiter_written, ready = batch_ready(batch);
	for (uint32_t i = 0; i < ready && (gather->bytes < most || gather->count == 0); i++) {
		const struct view *view = batch_peek(batch, i);
		uint64_t done = skip < view->size ? skip : view->size;
		skip -= done;
		if (done == view->size)
			continue;
		if (owes && !add_delimiter(gather, framing, sent))
			break;
		sent = 0;
		owes = false;
		if (!add(gather, view->data + done, view->size - done))
			break;
		owes = is_bare(batch, view);
		batch->lent = i + 1;
	}
	return gather->bytes;
}

/* Takes out the first `count` views, which are written. */
static uint64_t take_written(struct gather *gather, struct batch *batch, uint32_t count)
{
	uint64_t records = 0;
	for (; count > 0; count--) {
		struct view view = batch_take(batch);
		gather->written -= view.size;
		gather->owes_delimiter = is_bare(batch, &view);
		if (batch->kind != FLOW_BYTES)
			records += view_records(&view);
		view_drop(&view);
	}
	return records;
}

/* How many of the first views are written to their record's end. */
static uint32_t whole_views(const struct gather *gather, const struct batch *batch)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0, ready = batch_ready(batch); i < ready; i++) {
		const struct view *view = batch_peek(batch, i);
		bytes += view->size;
		if (bytes > gather->written)
			return 0;
		if (batch->kind == FLOW_BYTES || view_records(view) > 0)
			return i + 1;
	}
	return 0;
}

static uint64_t pay_delimiter(struct gather *gather, uint64_t bytes)
{
	uint32_t owed = gather->delimiter_size - gather->delimiter_written;
	uint32_t paid = bytes < owed ? (uint32_t)bytes : owed;
	gather->delimiter_written += paid;
	if (paid == owed) {
		gather->owes_delimiter = false;
		gather->delimiter_written = 0;
	}
	return bytes - paid;
}

/* The bytes of views up to the end of the next bare one: behind it a delimiter was put. */
static uint64_t bytes_to_bare(const struct gather *gather, const struct batch *batch)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0, ready = batch_ready(batch); i < ready; i++) {
		bytes += batch_peek(batch, i)->size;
		if (is_bare(batch, batch_peek(batch, i)))
			break;
	}
	return bytes - gather->written;
}

uint64_t gather_written(struct gather *gather, struct batch *batch, uint64_t bytes)
{
	uint64_t records = 0;
	batch->lent = 0;
	while (bytes > 0) {
		if (gather->owes_delimiter) {
			bytes = pay_delimiter(gather, bytes);
			continue;
		}
		uint64_t here = bytes_to_bare(gather, batch);
		assert(here > 0);
		if (here > bytes)
			here = bytes;
		gather->written += here;
		bytes -= here;
		for (uint32_t count; gather->written > 0 && (count = whole_views(gather, batch)) > 0;)
			records += take_written(gather, batch, count);
	}
	take_empty(gather, batch);
	return records;
}

/* Where in the first view the last whole record ends that was written; 0 if it can't be told or none does. */
static uint32_t border_in_first(const struct gather *gather, const struct batch *batch, const struct framing *framing)
{
	const struct view *first = batch_peek(batch, 0);
	if (!framing || batch->kind != FLOW_RECORDS || view_records(first) == 0)
		return 0;
	return (uint32_t)framing_last(framing, first->data, gather->written);
}

uint64_t gather_restart(struct gather *gather, struct batch *batch, const struct framing *framing)
{
	uint64_t records = 0;
	batch->lent = 0;
	gather->delimiter_written = 0;
	if (gather->written > 0 && batch_ready(batch) > 0) {
		uint32_t border = border_in_first(gather, batch, framing);
		if (border > 0) {
			records = framing_count(framing, batch_peek(batch, 0)->data, border);
			batch_advance(batch, border, (uint32_t)records);
		}
	}
	gather->written = 0;
	return records;
}
