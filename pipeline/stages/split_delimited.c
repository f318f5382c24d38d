/* split: records that end with a delimiter.
 *
 * What arrived is searched for its last delimiter, and all whole records before it leave as one run: one search and one
 * count a buffer. What follows the last delimiter is the stream's remainder; it leaves, piece by piece, in front of the
 * next run. Only where a record may be longer than `max_record`, or the delimiter overlaps itself, are records walked one
 * by one.
 *
 *     in:   [ord two⏎three⏎fo]  [ur⏎fi]
 *     out:  [ord two⏎three⏎]    [fo][ur⏎]        ("fi" is the remainder)
 */

#include "pipeline/stages/split.h"

#include "pipeline/flow/walk.h"

/* The view brings no end of a record: all of it is remainder. */
static bool take_unfinished(struct node *node, struct batch *in, const struct view *view)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct split_stream *stream = &split->streams[number];
	uint32_t matched = matcher_behind(&split->matcher, stream->matched, view->data, view->size);
	if (!split_collect(node, view, view->size))
		return false;
	stream->begun += view->size;
	stream->matched = matched;
	split_take(split, in, view->size);
	split_look_at(split, number);
	return true;
}

/* The record that was begun ends at `end`, but not simply: it is too long, or passed over. */
static bool take_oddly(struct node *node, struct batch *in, const struct view *view, uint32_t end)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct split_stream *stream = &split->streams[number];
	if (!split_collect(node, view, end))
		return false;
	stream->begun += end;
	stream->terminated = true;
	split_take(split, in, end);
	split_look_at(split, number);
	return true;
}

/* Records of up to a buffer need not be walked: none in here can be too long. */
static bool is_bulk(const struct split *split, const struct view *view)
{
	return !split->framing.self_overlapping && view->size <= split->limit;
}

/* The run of `end` bytes leaves, and what is behind it is remainder: no record ends there. */
static bool take_run(struct node *node, struct batch *in, struct batch *out,
	const struct view *view, uint32_t end, uint32_t records)
{
	if (!split_put_run(node, in, out, view, end, records))
		return false;
	if (end == view->size)
		return true;
	struct view rest = *batch_peek(in, 0);
	return take_unfinished(node, in, &rest);
}

/* No record is under way, and none can be too long. */
static bool take_bulk(
	struct node *node, struct batch *in, struct batch *out, const struct view *view)
{
	const struct split *split = node->state;
	struct walk walk = walk_records(&split->framing, view->data, view->size, SCAN_NO_LIMIT);
	if (walk.end == 0)
		return take_unfinished(node, in, view);
	return take_run(node, in, out, view, (uint32_t)walk.end, walk.records);
}

bool split_delimited(struct node *node, struct batch *in, struct batch *out)
{
	struct split *split = node->state;
	struct view view = *batch_peek(in, 0);
	struct split_stream *stream = &split->streams[view_stream(&view)];
	bool bulk = is_bulk(split, &view);
	if (stream->begun == 0 && bulk)
		return take_bulk(node, in, out, &view);
	uint32_t first =
		(uint32_t)matcher_first(&split->matcher, stream->matched, view.data, view.size);
	if (first == 0)
		return take_unfinished(node, in, &view);
	if (stream->mode != COLLECT ||
		stream->begun + first - split->framing.delimiter_size > split->limit)
		return take_oddly(node, in, &view, first);
	if (!bulk)
		return split_put_run(node, in, out, &view, first, 1);
	struct walk more =
		walk_records(&split->framing, view.data + first, view.size - first, SCAN_NO_LIMIT);
	return take_run(node, in, out, &view, first + (uint32_t)more.end, 1 + more.records);
}
