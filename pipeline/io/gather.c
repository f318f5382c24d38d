/* Gathering: see the header.
 *
 * A group is what enters a batch together: a view of bytes, a run of records with the pieces before
 * it, a frame. Groups leave whole; `written` is how far the kernel got in the first one. An owed
 * delimiter is paid before it counts.
 */

#include "pipeline/io/gather.h"

#include "pipeline/flow/framing.h"
#include "pipeline/flow/scan.h"

#include <assert.h>
#include <stdlib.h>

bool gather_open(struct gather *gather)
{
	*gather = (struct gather){ .pieces = calloc(IO_MOST_PIECES, sizeof(struct iovec)) };
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

static bool ends_bare(const struct batch *batch, const struct view *view)
{
	return batch->kind == FLOW_RECORDS && view->tag & VIEW_BARE;
}

/* What continues the last piece in memory makes it longer. */
static void add(struct gather *gather, const char *data, size_t size)
{
	struct iovec *last = gather->count > 0 ? &gather->pieces[gather->count - 1] : NULL;

	gather->bytes += size;
	if (last && (const char *)last->iov_base + last->iov_len == data) {
		last->iov_len += size;
		return;
	}
	gather->pieces[gather->count++] =
		(struct iovec){ .iov_base = (void *)data, .iov_len = size };
}

static void add_delimiter(struct gather *gather, uint32_t from)
{
	const struct framing *framing = gather->framing;

	if (framing && framing->delimiter_size > 0)
		add(gather, framing->delimiter + from, framing->delimiter_size - from);
}

/* Room for the view and a delimiter before it. The first view is taken however large it is. */
static bool has_room(const struct gather *gather, size_t size, uint64_t most)
{
	if (gather->bytes == 0)
		return true;
	return gather->count + 2 <= IO_MOST_PIECES && gather->bytes + size <= most;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much of the written `bytes` was the delimiter that is owed. */
static uint64_t pay_delimiter(struct gather *gather, uint64_t bytes)
{
	uint32_t left =
		gather->framing ? gather->framing->delimiter_size - gather->delimiter_written : 0;
	uint64_t paid = smaller(bytes, left);

	if (!gather->owes_delimiter || bytes == 0)
		return 0;
	gather->delimiter_written += (uint32_t)paid;
	if (paid == left) {
		gather->owes_delimiter = false;
		gather->delimiter_written = 0;
	}
	return paid;
}

static uint64_t size_of(const struct batch *batch, uint32_t views)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < views; i++)
		size += batch_peek(batch, i)->size;
	return size;
}

static void drop_views(struct batch *batch, uint32_t count)
{
	while (count--) {
		struct view view = batch_take(batch);

		view_drop(&view);
	}
}

/* Takes the first group out, all of which is written. Gives its records. */
static uint64_t drop_group(struct gather *gather, struct batch *batch, uint32_t views)
{
	uint64_t before = batch->taken.records;

	if (gather->written > 0)
		gather->owes_delimiter = ends_bare(batch, batch_peek(batch, views - 1));
	gather->written = 0;
	drop_views(batch, views);
	return batch->taken.records - before;
}

/* The ends of streams are nothing to write, and nothing else will come to take them out. */
static void drop_empty(struct gather *gather, struct batch *batch)
{
	uint32_t views;

	while (gather->written == 0 && (views = batch_group(batch)) > 0 &&
		size_of(batch, views) == 0)
		drop_group(gather, batch, views);
}

uint64_t gather_fill(
	struct gather *gather, struct batch *batch, const struct framing *framing, uint64_t most)
{
	uint32_t delimiter_from = gather->delimiter_written;
	uint64_t skip = gather->written;
	bool owes = gather->owes_delimiter;

	drop_empty(gather, batch);
	gather->framing = framing;
	gather->count = 0;
	gather->bytes = 0;
	for (uint32_t i = 0; i < batch_ready(batch); i++) {
		const struct view *view = batch_peek(batch, i);

		if (skip >= view->size) {
			skip -= view->size;
			continue;
		}
		if (!has_room(gather, view->size - skip, most))
			break;
		if (owes)
			add_delimiter(gather, delimiter_from);
		add(gather, view->data + skip, view->size - skip);
		owes = ends_bare(batch, view);
		batch->lent = i + 1;
		delimiter_from = 0;
		skip = 0;
	}
	return gather->bytes;
}

uint64_t gather_written(struct gather *gather, struct batch *batch, uint64_t bytes)
{
	uint64_t records = 0;
	uint32_t views;

	batch->lent = 0;
	bytes -= pay_delimiter(gather, bytes);
	while ((views = batch_group(batch)) > 0) {
		uint64_t size = size_of(batch, views);
		uint64_t part = smaller(bytes, size - gather->written);

		gather->written += part;
		bytes -= part;
		if (gather->written < size)
			break;
		records += drop_group(gather, batch, views);
		bytes -= pay_delimiter(gather, bytes);
	}
	assert(bytes == 0);
	return records;
}

/* The byte that lies `back` bytes before the batch's view `index`; −1 if there is none. */
static int byte_before(const struct batch *batch, uint32_t index, uint32_t back)
{
	while (index-- > 0) {
		const struct view *view = batch_peek(batch, index);

		if (back <= view->size)
			return (unsigned char)view->data[view->size - back];
		back -= view->size;
	}
	return -1;
}

/* True if a delimiter ends at `end` of view `index`, having begun in a view before. */
static bool ends_across(
	const struct batch *batch, uint32_t index, const struct framing *framing, uint32_t end)
{
	uint32_t outside = framing->delimiter_size - end;
	const char *data = batch_peek(batch, index)->data;

	for (uint32_t i = 0; i < framing->delimiter_size; i++) {
		int byte = i < outside ? byte_before(batch, index, outside - i)
				       : (unsigned char)data[i - outside];

		if (byte != (unsigned char)framing->delimiter[i])
			return false;
	}
	return true;
}

/* Where the record ends, as below, if it is scanned. */
static size_t end_of_scanned(
	const struct batch *batch, uint32_t index, const struct framing *framing, size_t size)
{
	struct scan scan = { 0 };
	size_t used;

	for (uint32_t i = 0; i < index; i++) {
		const struct view *view = batch_peek(batch, i);

		scan_record(framing, &scan, SCAN_NO_LIMIT, view->data, view->size, &used);
	}
	const char *data = batch_peek(batch, index)->data;
	bool ends = scan_record(framing, &scan, SCAN_NO_LIMIT, data, size, &used) == SCAN_ENDS;
	return ends ? used : 0;
}

/* Where, in the first `size` bytes of view `index`, the record ends that began in a view before;
 * 0 if it does not. Its delimiter may lie across the views. */
static size_t end_of_begun(
	const struct batch *batch, uint32_t index, const struct framing *framing, size_t size)
{
	if (framing->kind != FRAMING_DELIMITED)
		return end_of_scanned(batch, index, framing, size);
	for (uint32_t end = 1; end < framing->delimiter_size && end <= size; end++) {
		if (ends_across(batch, index, framing, end))
			return end;
	}
	return framing_first(framing, batch_peek(batch, index)->data, size);
}

/* Takes out the whole records among the first `written` bytes of the first group, and gives how
 * many they are. The group was not written entirely, so at least one record stays. */
static uint64_t drop_records(struct batch *batch, const struct framing *framing, uint64_t written)
{
	uint32_t last = batch_group(batch) - 1, records = last > 0;
	const struct view *run = batch_peek(batch, last);
	uint64_t before = size_of(batch, last);
	size_t size = (size_t)(written - smaller(written, before)), begun = 0, border;

	if (view_records(run) == 1)
		return 0;
	if (last > 0)
		begun = end_of_begun(batch, last, framing, size);
	if (last > 0 && begun == 0)
		return 0;
	border = begun + framing_last(framing, run->data + begun, size - begun);
	records += framing_count(framing, run->data + begun, border - begun);
	if (records == 0 || records >= view_records(run))
		return 0;
	drop_views(batch, last);
	batch_advance(batch, (uint32_t)border, records);
	return records;
}

uint64_t gather_restart(struct gather *gather, struct batch *batch, const struct framing *framing)
{
	uint64_t written = gather->written;

	batch->lent = 0;
	gather->written = 0;
	gather->delimiter_written = 0;
	if (written == 0 || !framing || batch->kind != FLOW_RECORDS)
		return 0;
	return drop_records(batch, framing, written);
}
