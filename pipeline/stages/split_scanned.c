/* split: records that a prefix, a count, a size or quotes delimit.
 *
 * They are progress from the stream's start, for nothing but the record before tells where the next begins. All whole
 * records of a view leave as one run, behind what arrived of the first one before. Where a prefix cannot be right, what
 * follows means nothing: the record is counted, the stream refused, and what it still brings passed over.
 */

#include "pipeline/stages/split.h"

#include "pipeline/flow/walk.h"

#include <assert.h>

/* Whole records at the view's start: how far they go, and how many they are. Then what is to be said of the record that
 * follows: it begins, if there are none, where the stream is. */
struct progress {
	uint32_t end, records;
	struct scan scan;
	size_t used;
	enum scan_result result;
};

/* Scans the next record. True if it ends in the view; then the one behind it is next. */
static bool scan_next(const struct split *split, const struct view *view, struct progress *progress)
{
	progress->result = scan_record(&split->framing, &progress->scan, split->limit,
		view->data + progress->end, view->size - progress->end, &progress->used);
	if (progress->result != SCAN_ENDS)
		return false;
	progress->end += (uint32_t)progress->used;
	progress->records++;
	progress->scan = (struct scan){ 0 };
	return true;
}

/* The record that is under way is scanned to its end, whole ones behind it are walked, and what is then left is scanned:
 * it goes on, or there is something to be said of it. */
static void look(const struct split *split, const struct view *view, struct progress *progress)
{
	*progress = (struct progress){ .scan = split->streams[view_stream(view)].scan,
		.result = SCAN_GOES_ON };
	if (view->size == 0)
		return;
	if (progress->scan.phase != SCAN_AT_START && !scan_next(split, view, progress))
		return;
	struct walk walk = walk_records(&split->framing, view->data + progress->end,
		view->size - progress->end, split->limit);
	progress->end += (uint32_t)walk.end;
	progress->records += walk.records;
	bool ends = scan_next(split, view, progress);
	assert(!ends);
}

/* All of the view is of a record that goes on. */
static bool take_unfinished(struct node *node, struct batch *in, const struct view *view,
	const struct progress *progress)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[view_stream(view)];
	if (!split_collect(node, view, view->size))
		return false;
	stream->scan = progress->scan;
	stream->begun += view->size;
	split_take(split, in, view->size);
	return true;
}

/* What came of the record is given up; the scan goes on to its end. */
static void pass_over(struct node *node, const struct view *view, const struct progress *progress)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct split_stream *stream = &split->streams[number];
	remainder_cut(&split->remainders, number, 0);
	stream->mode = PASS_OVER;
	stream->scan = progress->scan;
	stream->begun += progress->used;
	split_drop_record(node, DROP_TOO_LONG);
}

static void refuse(struct node *node, const struct view *view)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct split_stream *stream = &split->streams[number];
	remainder_cut(&split->remainders, number, 0);
	split_begin_record(stream);
	stream->mode = REFUSED;
	split_drop_record(node, DROP_FRAMING);
	node_refuse_stream(node, number);
}

/* No record ends in the view before something is to be said of the first. */
static bool take_first(struct node *node, struct batch *in, const struct view *view,
	const struct progress *progress)
{
	struct split *split = node->state;
	uint32_t used = (uint32_t)progress->used;
	switch (progress->result) {
	case SCAN_TOO_LONG:
		pass_over(node, view, progress);
		break;
	case SCAN_MALFORMED:
		refuse(node, view);
		used = view->size;
		break;
	case SCAN_GOES_ON:
	case SCAN_ENDS:
		return take_unfinished(node, in, view, progress);
	}
	split_take(split, in, used);
	return true;
}

/* The record that is passed over may end in the view, or turn out to be none: a netstring without its comma. */
static void skip(struct node *node, struct batch *in, const struct view *view)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[view_stream(view)];
	size_t used;
	enum scan_result result = scan_record(
		&split->framing, &stream->scan, SCAN_NO_LIMIT, view->data, view->size, &used);
	stream->begun += used;
	if (result == SCAN_ENDS)
		split_begin_record(stream);
	if (result == SCAN_MALFORMED) {
		refuse(node, view);
		used = view->size;
	}
	split_take(split, in, (uint32_t)used);
}

static bool take_some(struct node *node, struct batch *in, struct batch *out, struct view *view)
{
	struct split *split = node->state;
	struct progress progress;
	enum split_mode mode = split->streams[view_stream(view)].mode;
	if (mode == REFUSED) {
		split_take(split, in, view->size);
		return true;
	}
	if (mode != COLLECT) {
		skip(node, in, view);
		return true;
	}
	look(split, view, &progress);
	if (progress.records > 0)
		return split_put_run(node, in, out, view, progress.end, progress.records);
	return take_first(node, in, view, &progress);
}

bool split_scanned(struct node *node, struct batch *in, struct batch *out)
{
	struct split *split = node->state;
	struct view view = *batch_peek(in, 0);
	uint32_t number = view_stream(&view);
	if (!take_some(node, in, out, &view))
		return false;
	if (split->streams[number].flags)
		split_look_at(split, number);
	return true;
}
