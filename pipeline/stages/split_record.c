/* split: what becomes of records, and of what is left of them when their stream ends. */

#include "pipeline/stages/split.h"

#include <assert.h>

void split_begin_record(struct split_stream *stream)
{
	stream->begun = 0;
	stream->matched = 0;
	stream->mode = COLLECT;
	stream->terminated = false;
	stream->scan = (struct scan){ 0 };
}

static void count_record(struct node *node)
{
	node->account.found++;
}

void split_drop_record(struct node *node, enum drop_reason reason)
{
	struct split *split = node->state;
	count_record(node);
	node_drop(node, reason, 1);
	node_log_gated(node, &split->gate, LOG_LEVEL_WARNING, "a record was dropped: %s",
		drop_reason_name(reason));
}

bool split_put_remainder(struct node *node, struct batch *out, uint32_t number, uint64_t size,
	uint32_t tag, bool delimiter)
{
	struct split *split = node->state;
	if (batch_room(out) < remainder_pieces(&split->remainders, number) + 1)
		return false;
	uint32_t count = remainder_take(&split->remainders, number, size, split->views);
	if (delimiter)
		split->views[count++] =
			view_of_static(split->framing.delimiter, split->framing.delimiter_size);
	assert(count > 0);
	split->views[count - 1].tag = tag;
	bool put = batch_put_all(out, split->views, count);
	assert(put);
	return true;
}

/* The bytes of the remainder that are content. */
static uint64_t content_of(const struct split *split, uint32_t number)
{
	uint64_t size = remainder_size(&split->remainders, number);
	return split->streams[number].terminated ? size - split->framing.delimiter_size : size;
}

/* True if the record is longer than it may be, for certain; a scan tells it itself. What it ends with may still be a part of its delimiter. */
static bool is_too_long(const struct split *split, uint32_t number)
{
	const struct split_stream *stream = &split->streams[number];
	uint64_t content = content_of(split, number);
	if (split->framing.kind != FRAMING_DELIMITED)
		return false;
	if (!stream->terminated && !stream->flags)
		content -= content < stream->matched ? content : stream->matched;
	return content > split->limit;
}

/* Does what `too_long` asks for. False: out is full. */
static bool shorten(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	switch ((enum split_too_long)split->too_long) {
	case TRUNCATE:
		remainder_cut(&split->remainders, number, split->limit);
		stream->mode = PASS_OVER_TRUNCATED;
		node->account.truncated++;
		return true;
	case DROP:
		remainder_cut(&split->remainders, number, 0);
		stream->mode = PASS_OVER;
		split_drop_record(node, DROP_TOO_LONG);
		return true;
	case SPLIT:
		if (!split_put_remainder(node, out, number, split->limit, 1 | VIEW_BARE, false))
			return false;
		count_record(node);
		stream->begun -= split->limit;
		return true;
	}
	return true;
}

/* The record has come to its delimiter: lets it go. False: out is full. */
static bool finish_record(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	if (stream->mode != PASS_OVER) {
		bool truncated = stream->mode == PASS_OVER_TRUNCATED;
		if (!split_put_remainder(node, out, number, UINT64_MAX, 1, truncated))
			return false;
		count_record(node);
	}
	split_begin_record(stream);
	return true;
}

enum split_unterminated split_unterminated_rule(const struct node *node, uint32_t number)
{
	const struct split *split = node->state;
	if (split->framing.kind != FRAMING_DELIMITED && split->framing.kind != FRAMING_START &&
		!scan_may_be_bare(&split->streams[number].scan))
		return OMIT;
	if (split->unterminated_set)
		return split->unterminated;
	const struct node *source = node_source_of(node, number);
	return source && source_ops(source)->sockets ? COMPLETE : KEEP;
}

/* The stream ended within a record: it is kept, completed or left out. False: out is full. */
static bool finish_unterminated(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	enum split_unterminated rule = split_unterminated_rule(node, number);
	if (stream->mode == PASS_OVER || stream->begun == 0)
		return true;
	if (rule == OMIT) {
		remainder_cut(&split->remainders, number, 0);
		split_drop_record(node, DROP_INCOMPLETE);
		return true;
	}
	uint32_t bare = rule == KEEP ? VIEW_BARE : 0;
	if (!split_put_remainder(node, out, number, UINT64_MAX, 1 | bare, rule == COMPLETE))
		return false;
	count_record(node);
	return true;
}

static bool finish_stream(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	if (stream->flags & VIEW_BROKEN) {
		if (stream->mode != PASS_OVER && stream->begun > 0)
			split_drop_record(node, DROP_CUT);
		remainder_cut(&split->remainders, number, 0);
	} else if (!finish_unterminated(node, out, number)) {
		return false;
	}
	split_begin_record(stream);
	stream->flags = 0;
	return true;
}

bool split_settle_pending(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	uint32_t number = split->pending_stream;
	struct split_stream *stream = &split->streams[number];
	if (split->framing.kind == FRAMING_START)
		return split_settle_start(node, out);
	while (split->pending && stream->mode == COLLECT && is_too_long(split, number))
		if (!shorten(node, out, number))
			return false;
	if (split->pending && stream->terminated && !finish_record(node, out, number))
		return false;
	if (split->pending && stream->flags && !finish_stream(node, out, number))
		return false;
	split->pending = false;
	return true;
}

/* All remainders pin more than they may, though packed: the largest is given up. */
static void give_up_largest(struct node *node)
{
	struct split *split = node->state;
	uint32_t number = remainder_largest(&split->remainders);
	struct split_stream *stream = &split->streams[number];
	remainder_cut(&split->remainders, number, 0);
	if (split->framing.kind == FRAMING_START) {
		stream->passing = true;
		stream->judged |= stream->line > 0;
		stream->line = 0;
	} else {
		stream->mode = PASS_OVER;
	}
	split_drop_record(node, DROP_MEMORY);
}

bool split_collect(struct node *node, const struct view *view, uint32_t size)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	if (size == 0 || split->streams[number].mode != COLLECT)
		return true;
	struct view piece;
	bool sliced = view_slice(view, 0, size, &piece);
	assert(sliced);
	enum remainder_result result = remainder_add(&split->remainders, number, &piece);
	if (result == REMAINDER_WAITS)
		view_drop(&piece);
	if (result == REMAINDER_OVER)
		give_up_largest(node);
	return result != REMAINDER_WAITS;
}

void split_take(struct split *split, struct batch *in, uint32_t size)
{
	const struct view *first = batch_peek(in, 0);
	struct split_stream *stream = &split->streams[view_stream(first)];
	if (size < first->size) {
		batch_advance(in, size, 0);
		return;
	}
	stream->flags = first->tag & (VIEW_END | VIEW_BROKEN);
	struct view view = batch_take(in);
	view_drop(&view);
}

void split_look_at(struct split *split, uint32_t number)
{
	split->pending = true;
	split->pending_stream = number;
}

bool split_put_run(struct node *node, struct batch *in, struct batch *out, const struct view *view,
	uint32_t end, uint32_t records)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	if (batch_room(out) < remainder_pieces(&split->remainders, number) + 1)
		return false;
	uint32_t count = remainder_take(&split->remainders, number, UINT64_MAX, split->views);
	bool sliced = view_slice(view, 0, end, &split->views[count]);
	assert(sliced);
	split->views[count++].tag = records;
	bool put = batch_put_all(out, split->views, count);
	assert(put);
	node->account.found += records;
	split_begin_record(&split->streams[number]);
	split_take(split, in, end);
	if (split->streams[number].flags)
		split_look_at(split, number);
	return true;
}
