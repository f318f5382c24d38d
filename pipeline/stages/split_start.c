/* split: records of several lines, each of which begins at a line that is judged.
 *
 * What is held of a stream is the record so far, and behind it the line that is not judged yet: it is judged at its end,
 * or by its first bytes where it is long. Each record leaves alone (VIEW_APART), as nobody behind could find its borders
 * again. Streams that fell silent are kept in the order in which they did: after `flush_after` what they have is let go.
 *
 *     remainder:   [E: could not⏎  at main⏎][  at ru]
 *                   body                     line
 */

#include "pipeline/stages/split.h"

#include "pipeline/search/line_judge.h"

#include <assert.h>
#include <string.h>

static uint64_t body_of(const struct split_stream *stream)
{
	return stream->begun - stream->line;
}

/* The list of streams that hold something, by when they last spoke. Numbers are + 1, so that zero is none. */

static void leave_list(struct split *split, uint32_t number)
{
	struct split_stream *stream = &split->streams[number];
	if (!stream->listed)
		return;
	if (stream->older)
		split->streams[stream->older - 1].newer = stream->newer;
	else
		split->oldest = stream->newer;
	if (stream->newer)
		split->streams[stream->newer - 1].older = stream->older;
	else
		split->newest = stream->older;
	stream->listed = false;
	stream->older = stream->newer = 0;
}

static void enter_list(struct split *split, uint32_t number, uint64_t now)
{
	struct split_stream *stream = &split->streams[number];
	leave_list(split, number);
	stream->listed = true;
	stream->spoke = now;
	stream->older = split->newest;
	if (split->newest)
		split->streams[split->newest - 1].newer = number + 1;
	else
		split->oldest = number + 1;
	split->newest = number + 1;
}

/* Records */

/* Puts the first `size` bytes of the body as a record. False: out is full. */
static bool put(struct node *node, struct batch *out, uint32_t number, uint64_t size, uint32_t tag,
	bool delimiter)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	uint64_t before = remainder_size(&split->remainders, number);
	if (!split_put_remainder(node, out, number, size, 1 | VIEW_APART | tag, delimiter))
		return false;
	node->account.found++;
	stream->begun -= before - remainder_size(&split->remainders, number);
	return true;
}

/* The body is a record, or was passed over. False: out is full. */
static bool finish_body(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	if (!stream->passing && body_of(stream) > 0)
		return put(node, out, number, body_of(stream), 0, false);
	stream->begun = stream->line;
	stream->passing = false;
	return true;
}

static void pass_over(struct split *split, uint32_t number)
{
	remainder_cut(&split->remainders, number, 0);
	split->streams[number].passing = true;
}

/* The body's content: without the LF that its last line ends with. */
static uint64_t content_of(const struct split_stream *stream)
{
	uint64_t body = body_of(stream);
	return body > 0 && !stream->judged ? body - 1 : body;
}

/* Does what `too_long` asks for; no line waits to be judged. False: out is full. */
static bool shorten(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	if (split->too_long == DROP) {
		pass_over(split, number);
		split_drop_record(node, DROP_TOO_LONG);
		return true;
	}
	bool cut = split->too_long == TRUNCATE;
	if (!put(node, out, number, split->limit, cut ? 0 : VIEW_BARE, cut))
		return false;
	if (cut) {
		pass_over(split, number);
		split_cut_record(node);
	}
	return true;
}

static bool finish_last(struct node *node, struct batch *out, uint32_t number)
{
	const struct split *split = node->state;
	const struct split_stream *stream = &split->streams[number];
	enum split_unterminated rule = split_unterminated_rule(node, number);
	if (stream->passing || stream->begun == 0)
		return true;
	if (!stream->judged)
		return put(node, out, number, UINT64_MAX, 0, false);
	if (rule == OMIT) {
		split_drop_record(node, DROP_INCOMPLETE);
		return true;
	}
	return put(node, out, number, UINT64_MAX, rule == KEEP ? VIEW_BARE : 0, rule == COMPLETE);
}

static bool judge(
	struct split *split, uint32_t number, const char *data, size_t size, enum line_class *last);

/* What waits to be judged belongs to the body. */
static void add_line(struct split *split, uint32_t number, bool goes_on)
{
	struct split_stream *stream = &split->streams[number];
	stream->line = 0;
	stream->judged = goes_on;
	if (stream->passing)
		remainder_cut(&split->remainders, number, 0);
}

static bool finish_stream(struct node *node, struct batch *out, uint32_t number)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	enum line_class last = (enum line_class)stream->last;
	if (stream->flags & VIEW_BROKEN) {
		if (!stream->passing && stream->begun > 0)
			split_drop_record(node, DROP_CUT);
	} else {
		if (stream->line > 0 && judge(split, number, "", 0, &last) &&
			!finish_body(node, out, number))
			return false;
		if (stream->line > 0)
			add_line(split, number, true);
		while (!stream->passing && content_of(stream) > split->limit)
			if (!shorten(node, out, number))
				return false;
		if (!finish_last(node, out, number))
			return false;
	}
	remainder_cut(&split->remainders, number, 0);
	leave_list(split, number);
	*stream = (struct split_stream){ 0 };
	return true;
}

bool split_settle_start(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	uint32_t number = split->pending_stream;
	struct split_stream *stream = &split->streams[number];
	while (split->pending && stream->line == 0 && !stream->passing &&
		content_of(stream) > split->limit)
		if (!shorten(node, out, number))
			return false;
	if (split->pending && stream->flags && !finish_stream(node, out, number))
		return false;
	split->pending = false;
	return true;
}

/* Lines */

/* Judges a line by its first bytes. */
static bool judge_bytes(
	const struct split *split, const char *data, size_t size, enum line_class *last)
{
	if (size > SPLIT_JUDGED)
		size = SPLIT_JUDGED;
	if (split->framing.crlf && size > 0 && data[size - 1] == '\r')
		size--;
	return line_judge_begins(split->judge, last, data, size);
}

/* Judges the line that waits and `size` bytes behind it: what they have at most, gathered where it is in pieces. */
static bool judge(
	struct split *split, uint32_t number, const char *data, size_t size, enum line_class *last)
{
	const struct split_stream *stream = &split->streams[number];
	uint64_t held = remainder_size(&split->remainders, number);
	if (stream->line > 0) {
		uint32_t line = stream->line;
		size = size < SPLIT_JUDGED - line ? size : SPLIT_JUDGED - line;
		remainder_peek(&split->remainders, number, held - line, split->line, line,
			&split->node->account.peeked);
		payload_peek(split->line + line, data, size, &split->node->account.peeked);
		data = split->line;
		size += line;
	}
	return judge_bytes(split, data, size, last);
}

/* Adds bytes to the record, unless it is passed over. */
static bool keep(struct node *node, const struct view *view, uint32_t size)
{
	const struct split *split = node->state;
	return split->streams[view_stream(view)].passing || split_collect(node, view, size);
}

static bool take_line(struct node *node, struct batch *in, struct batch *out,
	const struct view *view, uint32_t end, bool whole)
{
	struct split *split = node->state;
	uint32_t number = view_stream(view);
	struct split_stream *stream = &split->streams[number];
	enum line_class last = (enum line_class)stream->last;
	if (!stream->judged) {
		bool begins = judge(split, number, view->data, end - whole, &last);
		if (begins && !finish_body(node, out, number))
			return false;
	}
	if (!keep(node, view, end))
		return false;
	stream->begun += end;
	stream->last = (uint8_t)last;
	add_line(split, number, !whole);
	split_take(split, in, end);
	return true;
}

/* Too little of the line to judge it. */
static bool take_part(struct node *node, struct batch *in, const struct view *view)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[view_stream(view)];
	stream->line += view->size; /* before the stream may be given up */
	if (!split_collect(node, view, view->size)) {
		stream->line -= view->size;
		return false;
	}
	stream->begun += view->size;
	split_take(split, in, view->size);
	return true;
}

/* Takes what there is of one line. */
static bool take_one(
	struct node *node, struct batch *in, struct batch *out, const struct view *view)
{
	const struct split *split = node->state;
	const struct split_stream *stream = &split->streams[view_stream(view)];
	const char *hit = view->size > 0 ? memchr(view->data, '\n', view->size) : NULL;
	uint32_t end = hit ? (uint32_t)(hit - view->data) + 1 : view->size;
	bool some = hit || stream->judged || stream->line + (uint64_t)view->size >= SPLIT_JUDGED;
	return some ? take_line(node, in, out, view, end, hit != NULL) : take_part(node, in, view);
}

/* Lines behind each other in a view, none of which needs more than to be judged. */
struct lines {
	struct view view; /* what is not taken of it: the batch's first */
	uint32_t size;    /* bytes of it that belong to the record */
	enum line_class last;
};

/* They become the stream's. False: a buffer is needed first. */
static bool keep_lines(struct node *node, struct batch *in, struct lines *lines)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[view_stream(&lines->view)];
	uint32_t size = lines->size;
	if (size == 0)
		return true;
	if (!split_collect(node, &lines->view, size))
		return false;
	stream->begun += size;
	stream->last = (uint8_t)lines->last;
	split_take(split, in, size);
	view_chop(&lines->view, size);
	lines->size = 0;
	return true;
}

/* What is held of the record and the lines behind it leave as one. False: out is full. */
static bool put_lines(struct node *node, struct batch *in, struct batch *out, struct lines *lines)
{
	struct split *split = node->state;
	uint32_t number = view_stream(&lines->view), size = lines->size;
	struct split_stream *stream = &split->streams[number];
	if (size == 0)
		return finish_body(node, out, number);
	if (batch_room(out) < remainder_pieces(&split->remainders, number) + 1)
		return false;
	uint32_t count = remainder_take(&split->remainders, number, UINT64_MAX, split->views);
	bool sliced = view_slice(&lines->view, 0, size, &split->views[count]);
	assert(sliced);
	split->views[count++].tag = 1 | VIEW_APART;
	bool put = batch_put_all(out, split->views, count);
	assert(put);
	node->account.found++;
	stream->begun = 0;
	stream->last = (uint8_t)lines->last;
	split_take(split, in, size);
	view_chop(&lines->view, size);
	lines->size = 0;
	return true;
}

/* Adds whole lines until one begins a record: puts what is before it. False: there is no such line, or one that makes the
 * record too long, or out is full. */
static bool add_lines(struct node *node, struct batch *in, struct batch *out, struct lines *lines)
{
	const struct split *split = node->state;
	const struct split_stream *stream = &split->streams[view_stream(&lines->view)];
	for (;;) {
		const char *line = lines->view.data + lines->size;
		const char *end = memchr(line, '\n', lines->view.size - lines->size);
		enum line_class last = lines->last;
		if (!end)
			return false;
		uint32_t size = (uint32_t)(end - line) + 1;
		bool begins = judge_bytes(split, line, size - 1, &last);
		bool ends = begins && stream->begun + lines->size > 0;
		if (ends && !put_lines(node, in, out, lines))
			return false;
		if (stream->begun + lines->size + size - 1 > split->limit)
			return false;
		lines->size += size;
		lines->last = last;
		if (ends)
			return true;
	}
}

/* The usual lines at the view's start, a record at a time: those of one that lies in the view are never held. False: a
 * buffer is needed first. */
static bool take_lines(struct node *node, struct batch *in, struct batch *out, struct view *view)
{
	const struct split *split = node->state;
	const struct split_stream *stream = &split->streams[view_stream(view)];
	struct lines lines = { .view = *view, .last = (enum line_class)stream->last };
	if (stream->passing || stream->judged || stream->line > 0)
		return true;
	while (add_lines(node, in, out, &lines))
		;
	bool kept = keep_lines(node, in, &lines);
	*view = lines.view;
	return kept;
}

bool split_by_start(struct node *node, struct batch *in, struct batch *out)
{
	struct split *split = node->state;
	struct view view = *batch_peek(in, 0);
	uint32_t number = view_stream(&view), size = view.size;
	if (size > 0 && !take_lines(node, in, out, &view))
		return false;
	bool all = size > 0 && view.size == 0;
	if (!all && !take_one(node, in, out, &view))
		return false;
	enter_list(split, number, node_now(node));
	split_look_at(split, number);
	return true;
}

/* Lets go what streams have said that have been silent since. */
void split_flush(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	uint64_t now = node_now(node);
	node->due = 0;
	while (split->oldest) {
		uint32_t number = split->oldest - 1;
		const struct split_stream *stream = &split->streams[number];
		uint64_t due = stream->spoke + split->flush_after;
		if (due > now) {
			node->due = due;
			return;
		}
		bool goes_on = stream->line > 0 || stream->judged || stream->passing;
		if (!goes_on && !finish_body(node, out, number))
			return;
		leave_list(split, number);
	}
}
