/* Walking and taking the records of a batch, in one piece or in several. */

#include "pipeline/flow/record.h"

#include "pipeline/flow/copy.h"
#include "pipeline/flow/scan.h"

#include <assert.h>
#include <stdlib.h>

bool scratch_open(struct scratch *scratch, size_t size)
{
	*scratch = (struct scratch){ .data = malloc(size), .size = size };
	return scratch->data != NULL;
}

void scratch_close(struct scratch *scratch)
{
	free(scratch->data);
	*scratch = (struct scratch){ 0 };
}

static void gather(struct scratch *scratch, size_t at, const char *data, size_t size)
{
	assert(size <= scratch->size - at);
	payload_peek(scratch->data + at, data, size, &scratch->peeked);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The record's bytes in `last` where it is scanned, from its start on. */
static size_t end_scanned(const struct scratch *scratch, size_t head, const struct view *last,
	const struct framing *framing)
{
	struct scan scan = { 0 };
	size_t used;
	enum scan_result result =
		scan_record(framing, &scan, SCAN_NO_LIMIT, scratch->data, head, &used);
	assert(result == SCAN_GOES_ON);
	result = scan_record(framing, &scan, SCAN_NO_LIMIT, last->data, last->size, &used);
	return result == SCAN_ENDS ? used : last->size;
}

/* The record's bytes in `last`, whose first record began in `head` bytes of scratch: up to the first delimiter, which
 * may lie across the border. All of `last` if the record is bare. */
static size_t end_in_last(struct scratch *scratch, size_t head, const struct view *last,
	const struct framing *framing)
{
	if (view_records(last) == 1)
		return last->size;
	if (framing->kind != FRAMING_DELIMITED)
		return end_scanned(scratch, head, last, framing);
	size_t overlap = framing->delimiter_size - 1;
	size_t before = smaller(head, overlap), after = smaller(last->size, overlap);
	gather(scratch, head, last->data, after);
	size_t across = framing_first(framing, scratch->data + head - before, before + after);
	if (across > 0)
		return across - before;
	size_t inside = framing_first(framing, last->data, last->size);
	return inside > 0 ? inside : last->size;
}

static struct record record_of(
	const struct framing *framing, const char *data, size_t whole, bool bare)
{
	struct content content = framing_content(framing, data, whole, bare);
	return (struct record){ .data = data + content.offset,
		.size = content.size,
		.whole = whole,
		.before = content.offset,
		.bare = bare };
}

static bool gathered(const struct batch *batch, uint32_t group, const struct framing *framing,
	struct scratch *scratch, struct record *record)
{
	size_t head = 0;
	for (uint32_t i = 0; i + 1 < group; i++) {
		const struct view *view = batch_peek(batch, i);
		gather(scratch, head, view->data, view->size);
		head += view->size;
	}
	const struct view *last = batch_peek(batch, group - 1);
	size_t tail = end_in_last(scratch, head, last, framing);
	gather(scratch, head, last->data, tail);
	bool bare = (last->tag & VIEW_BARE) && tail == last->size;
	*record = record_of(framing, scratch->data, head + tail, bare);
	return true;
}

struct record record_in_run(
	const struct framing *framing, const char *data, size_t size, bool alone, bool bare)
{
	size_t whole = alone ? size : framing_first(framing, data, size);
	assert(whole > 0 || alone);
	return record_of(framing, data, whole, bare);
}

bool record_first(const struct batch *batch, const struct framing *framing, struct scratch *scratch,
	struct record *record)
{
	uint32_t group = batch_group(batch);
	if (group == 0)
		return false;
	if (group > 1)
		return gathered(batch, group, framing, scratch, record);
	const struct view *view = batch_peek(batch, 0);
	bool alone = view_records(view) == 1;
	*record = record_in_run(
		framing, view->data, view->size, alone, alone && (view->tag & VIEW_BARE));
	return true;
}

uint32_t record_take(struct batch *batch, size_t whole, struct view *views, uint32_t most)
{
	uint32_t count = 0;
	for (;;) {
		assert(count < most);
		const struct view *first = batch_peek(batch, 0);
		if (first->size > whole || view_records(first) > 1) {
			bool sliced = view_slice(first, 0, (uint32_t)whole, &views[count]);
			assert(sliced);
			views[count++].tag = 1;
			batch_advance(batch, (uint32_t)whole, 1);
			return count;
		}
		whole -= first->size;
		bool ends = view_records(first) > 0;
		views[count++] = batch_take(batch);
		if (ends)
			return count;
	}
}
