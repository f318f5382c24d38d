/* split: finds where records end in the bytes of streams.
 *
 * What arrived is searched for its last delimiter, and all whole records before it leave as one run: one search and one
 * count a buffer. What follows the last delimiter is the stream's remainder; it leaves, piece by piece, in front of the
 * next run. Only where a record may be longer than `max_record`, or the delimiter overlaps itself, are records walked one
 * by one.
 *
 *     in:   [ord two⏎three⏎fo]  [ur⏎fi]
 *     out:  [ord two⏎three⏎]    [fo][ur⏎]        ("fi" is the remainder)
 */

#include "pipeline/flow/matcher.h"
#include "pipeline/flow/remainder.h"
#include "pipeline/node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum on { ON_NEWLINE, ON_DELIMITER, ON_NUL };
enum too_long { TRUNCATE, DROP, SPLIT };
enum unterminated { KEEP, COMPLETE, OMIT };

/* What becomes of the record that a stream is in. */
enum mode { COLLECT, PASS_OVER, PASS_OVER_TRUNCATED };

struct stream {
	uint64_t begun;   /* bytes since the record's start */
	uint32_t matched; /* bytes of the delimiter that the stream ends with */
	enum mode mode;
	bool terminated; /* the remainder ends with the delimiter */
	uint32_t flags;  /* VIEW_END, VIEW_BROKEN: what is due behind the remainder */
};

struct split {
	unsigned on;
	struct bytes delimiter;
	bool crlf;
	uint64_t max_record;
	unsigned too_long, unterminated;

	bool unterminated_set;
	uint64_t limit; /* max_record, or what the pool allows */
	struct framing framing;
	struct matcher matcher;
	struct stream *streams;
	uint32_t stream_count, most_views;
	uint32_t aside_own, aside_blocks; /* for its streams; with what drop branches may keep */
	struct remainders remainders;
	struct view *views; /* a record on its way out */
	bool pending;       /* a stream's remainder must be seen to before anything else is taken */
	uint32_t pending_stream;
	struct log_gate gate;
};

static const char *const on_names[] = { "newline", "delimiter", "nul", NULL };
static const char *const too_long_names[] = { "truncate", "drop", "split", NULL };
static const char *const unterminated_names[] = { "keep", "complete", "drop", NULL };

static const struct option options[] = { OPTION(CHOICE, struct split, on, .choices = on_names,
						 .primary = true, .doc = "What ends a record."),
	OPTION(BYTES, struct split, delimiter, .needed_when = "`on` is `delimiter`",
		.doc = "The bytes that end a record, at most 256."),
	OPTION(BOOL, struct split, crlf, .standard = "false",
		.doc = "A CR before the LF belongs to the line's end and not to the record, as a "
		       "filter sees it."),
	OPTION(SIZE, struct split, max_record, .least = "1B", .most = "1GiB",
		.doc = "The most bytes of a record without its delimiter; 1MiB, or what the pool "
		       "allows if less."),
	OPTION(CHOICE, struct split, too_long, .choices = too_long_names,
		.doc = "What becomes of a longer one: cut to `max_record` (its delimiter stays), "
		       "left out, or made "
		       "several."),
	OPTION(CHOICE, struct split, unterminated, .choices = unterminated_names,
		.doc = "What becomes of a last record without its delimiter: kept as it is (the "
		       "default for files and "
		       "standard input), completed (the default for sockets), or left out."),
	OPTIONS_END };

static bool plan_delimiter(struct split *split, struct node *node, struct faults *faults)
{
	if (split->on != ON_DELIMITER && split->delimiter.size > 0)
		return fault_at(faults, split->delimiter.value,
			"write \"on\": \"delimiter\", or leave it out",
			"\"delimiter\" is not used, because \"on\" is \"%s\"", on_names[split->on]);
	if (split->on != ON_DELIMITER)
		return true;
	if (split->delimiter.size == 0)
		return fault_at(faults, node->value, "add \"delimiter\": \"…\"",
			"split on \"delimiter\" needs the bytes that end a record");
	if (split->delimiter.size > MATCHER_MOST)
		return fault_at(faults, split->delimiter.value, NULL,
			"the delimiter has %zu bytes; at most %d are allowed",
			split->delimiter.size, MATCHER_MOST);
	return true;
}

static struct framing framing_of(const struct split *split)
{
	switch ((enum on)split->on) {
	case ON_DELIMITER:
		return framing_delimited(
			split->delimiter.data, (uint32_t)split->delimiter.size, split->crlf);
	case ON_NUL:
		return framing_delimited("", 1, false);
	case ON_NEWLINE:
		break;
	}
	return framing_delimited("\n", 1, split->crlf);
}

static uint32_t most_views(uint64_t record, uint32_t buffer)
{
	uint64_t pieces = (record + buffer - 1) / buffer + 2;
	return pieces < 32 ? 32 : (uint32_t)pieces;
}

static bool split_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct split *split = node->state;
	uint32_t buffer = node_buffer_size(node);
	if (!plan_delimiter(split, node, faults))
		return false;
	split->unterminated_set = value_member(node->value, "unterminated") != NULL;
	split->limit = split->max_record ? split->max_record : node_default_max_record(node);
	split->framing = framing_of(split);
	matcher_open(&split->matcher, &split->framing);
	uint64_t whole = split->limit + split->framing.delimiter_size;
	split->most_views = most_views(whole, buffer);
	split->stream_count = node_stream_count(node);
	split->aside_own = in->connections > 64 ? in->connections : 64;
	split->aside_blocks =
		split->aside_own + (node_has_drops(node) ? split->aside_own / 3 + 1 : 0);
	node->charge += split->stream_count * sizeof(struct stream) +
			(split->most_views + 4) * sizeof(struct view) +
			remainders_cost(split->stream_count, split->aside_blocks, split->most_views,
				node->pin_quota);
	*out = (struct shape){ .kind = FLOW_RECORDS,
		.framing = &split->framing,
		.max_record = whole,
		.most_views = split->most_views };
	snprintf(node->how, sizeof(node->how), "%s",
		split->framing.self_overlapping || split->limit < buffer
			? "record by record"
			: "last delimiter of the run");
	snprintf(node->copies_why, sizeof(node->copies_why),
		in->streams > 1 ? "0, or aside where unfinished records pin a quarter of the pool"
				: "");
	return true;
}

static bool split_open(struct node *node, struct faults *faults)
{
	struct split *split = node->state;
	split->streams = calloc(split->stream_count, sizeof(*split->streams));
	split->views = calloc(split->most_views + 4, sizeof(*split->views));
	bool opened = remainders_open(&split->remainders, split->stream_count, split->aside_blocks,
		split->most_views, node->pin_quota, node->pool, &node->account.copies);
	split->remainders.aside_own = split->aside_own;
	if (split->streams && split->views && opened)
		return true;
	return fault_at(faults, NULL, NULL, "%s: no memory for %u streams", node->name,
		split->stream_count);
}

static void split_close(struct node *node)
{
	struct split *split = node->state;
	remainders_close(&split->remainders);
	free(split->streams);
	free(split->views);
	split->streams = NULL;
	split->views = NULL;
}

static void begin_record(struct stream *stream)
{
	stream->begun = 0;
	stream->matched = 0;
	stream->mode = COLLECT;
	stream->terminated = false;
}

static void count_record(struct node *node)
{
	node->account.found++;
}

static void drop_record(struct node *node, enum drop_reason reason)
{
	struct split *split = node->state;
	uint64_t missed;
	count_record(node);
	node_drop(node, reason, 1);
	if (log_gate_open(&split->gate, node_now(node), &missed))
		node_log(node, LOG_LEVEL_WARNING,
			"a record was dropped: %s (%llu more since the last such line)",
			drop_reason_name(reason), (unsigned long long)missed);
}

/* Puts the first `size` bytes of the remainder as one record, with the delimiter behind it where it is asked for. */
static bool put_remainder(struct node *node, struct batch *out, uint32_t number, uint64_t size,
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

/* True if the record is longer than it may be, for certain: what it ends with may still be a part of its delimiter. */
static bool is_too_long(const struct split *split, uint32_t number)
{
	const struct stream *stream = &split->streams[number];
	uint64_t content = content_of(split, number);
	if (!stream->terminated && !stream->flags)
		content -= content < stream->matched ? content : stream->matched;
	return content > split->limit;
}

/* Does what `too_long` asks for. False: out is full. */
static bool shorten(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct stream *stream = &split->streams[number];
	switch ((enum too_long)split->too_long) {
	case TRUNCATE:
		remainder_cut(&split->remainders, number, split->limit);
		stream->mode = PASS_OVER_TRUNCATED;
		node->account.truncated++;
		return true;
	case DROP:
		remainder_cut(&split->remainders, number, 0);
		stream->mode = PASS_OVER;
		drop_record(node, DROP_TOO_LONG);
		return true;
	case SPLIT:
		if (!put_remainder(node, out, number, split->limit, 1 | VIEW_BARE, false))
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
	struct stream *stream = &split->streams[number];
	if (stream->mode != PASS_OVER) {
		bool truncated = stream->mode == PASS_OVER_TRUNCATED;
		if (!put_remainder(node, out, number, UINT64_MAX, 1, truncated))
			return false;
		count_record(node);
	}
	begin_record(stream);
	return true;
}

static enum unterminated unterminated_rule(const struct node *node, uint32_t number)
{
	const struct split *split = node->state;
	if (split->unterminated_set)
		return split->unterminated;
	const struct node *source = node_source_of(node, number);
	return source && ((const struct source_ops *)(const void *)source->type)->sockets ? COMPLETE
											  : KEEP;
}

/* The stream ended within a record: it is kept, completed or left out. False: out is full. */
static bool finish_unterminated(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct stream *stream = &split->streams[number];
	enum unterminated rule = unterminated_rule(node, number);
	if (stream->mode == PASS_OVER || stream->begun == 0)
		return true;
	if (rule == OMIT) {
		remainder_cut(&split->remainders, number, 0);
		drop_record(node, DROP_INCOMPLETE);
		return true;
	}
	uint32_t bare = rule == KEEP ? VIEW_BARE : 0;
	if (!put_remainder(node, out, number, UINT64_MAX, 1 | bare, rule == COMPLETE))
		return false;
	count_record(node);
	return true;
}

static bool finish_stream(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct stream *stream = &split->streams[number];
	if (stream->flags & VIEW_BROKEN) {
		if (stream->mode != PASS_OVER && stream->begun > 0)
			drop_record(node, DROP_CUT);
		remainder_cut(&split->remainders, number, 0);
	} else if (!finish_unterminated(node, out, number)) {
		return false;
	}
	begin_record(stream);
	stream->flags = 0;
	return true;
}

/* Sees to a stream's remainder: too long, terminated, or its stream ended. False: out is full. */
static bool settle_pending(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	uint32_t number = split->pending_stream;
	struct stream *stream = &split->streams[number];
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
	struct stream *stream = &split->streams[number];
	remainder_cut(&split->remainders, number, 0);
	stream->mode = PASS_OVER;
	drop_record(node, DROP_MEMORY);
}

/* Adds the first `size` bytes of the first view to its stream's remainder. False: a buffer is needed first. */
static bool collect(struct node *node, const struct view *view, uint32_t size)
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

/* Takes `size` bytes off the batch; where that is all of the view, with what it says of its stream's end. */
static void take(struct split *split, struct batch *in, uint32_t size)
{
	const struct view *first = batch_peek(in, 0);
	struct stream *stream = &split->streams[view_stream(first)];
	if (size < first->size) {
		batch_advance(in, size, 0);
		return;
	}
	stream->flags = first->tag & (VIEW_END | VIEW_BROKEN);
	struct view view = batch_take(in);
	view_drop(&view);
}

/* The view brings no end of a record: all of it is remainder. */
static bool take_unfinished(struct node *node, struct batch *in, const struct view *view)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct stream *stream = &split->streams[number];
	uint32_t matched = matcher_behind(&split->matcher, stream->matched, view->data, view->size);
	if (!collect(node, view, view->size))
		return false;
	stream->begun += view->size;
	stream->matched = matched;
	take(split, in, view->size);
	split->pending = true;
	split->pending_stream = number;
	return true;
}

/* The record that was begun ends at `end`, but not simply: it is too long, or passed over. */
static bool take_oddly(struct node *node, struct batch *in, const struct view *view, uint32_t end)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct stream *stream = &split->streams[number];
	if (!collect(node, view, end))
		return false;
	stream->begun += end;
	stream->terminated = true;
	take(split, in, end);
	split->pending = true;
	split->pending_stream = number;
	return true;
}

/* Puts the remainder and the first `end` bytes of the view, `records` records. False: out is full. */
static bool put_run(struct node *node, struct batch *in, struct batch *out, const struct view *view,
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
	begin_record(&split->streams[number]);
	take(split, in, end);
	split->pending = split->streams[number].flags != 0;
	split->pending_stream = number;
	return true;
}

/* Records of up to a buffer need not be walked: none in here can be too long. */
static bool is_bulk(const struct split *split, const struct view *view)
{
	return !split->framing.self_overlapping && view->size <= split->limit;
}

/* Takes the first view, or as much of it as one run or record is. False: out is full or a buffer is needed first. */
static bool take_some(struct node *node, struct batch *in, struct batch *out)
{
	struct split *split = node->state;
	struct view view = *batch_peek(in, 0);
	struct stream *stream = &split->streams[view_stream(&view)];
	bool bulk = is_bulk(split, &view);
	uint32_t first = 0;
	if (stream->begun > 0 || !bulk)
		first = (uint32_t)matcher_first(
			&split->matcher, stream->matched, view.data, view.size);
	else
		first = (uint32_t)framing_last(&split->framing, view.data, view.size);
	if (first == 0)
		return take_unfinished(node, in, &view);
	if (stream->begun == 0 && bulk)
		return put_run(node, in, out, &view, first,
			framing_count(&split->framing, view.data, first));
	if (stream->mode != COLLECT ||
		stream->begun + first - split->framing.delimiter_size > split->limit)
		return take_oddly(node, in, &view, first);
	uint32_t more =
		bulk ? (uint32_t)framing_last(&split->framing, view.data + first, view.size - first)
		     : 0;
	return put_run(node, in, out, &view, first + more,
		1 + framing_count(&split->framing, view.data + first, more));
}

static void split_process(struct node *node, struct batch *in, struct batch *out)
{
	while (settle_pending(node, out) && batch_ready(in) > 0)
		if (!take_some(node, in, out))
			return;
}

/* An unfinished record stays: what was read of it is not safe yet. */
static bool split_settle(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	if (!settle_pending(node, out))
		return false;
	for (uint32_t i = 0; i < split->stream_count; i++)
		if (split->streams[i].begun > 0)
			node_hold_back(node, i, split->streams[i].begun);
	return true;
}

/* Streams that have not ended by now are those that a drain stopped: their unfinished records are not emitted. */
static bool split_end(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	if (!settle_pending(node, out))
		return false;
	for (uint32_t i = 0; i < split->stream_count; i++)
		remainder_cut(&split->remainders, i, 0);
	return true;
}

const struct stage_ops stage_split = {
	.type = {
		.name = "split",
		.doc = "Finds where records end.",
		.options = options,
		.state_size = sizeof(struct split),
		.example = "{ \"split\": { \"on\": \"newline\", \"max_record\": \"64KiB\" } }",
		.plan = split_plan,
		.open = split_open,
		.close = split_close,
	},
	.process = split_process,
	.settle = split_settle,
	.end = split_end,
};
