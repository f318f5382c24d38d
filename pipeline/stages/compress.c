/* compress: makes frames of records, or of one stream's bytes.
 *
 * A frame is complete in itself. It is closed when the next record would take it over `frame` bytes of input (a larger
 * record has a frame of its own), when `linger` has passed since its first byte, when an epoch settles, when a sink is
 * about to open its file anew, and at the end; so it ends at a record's border. Frames of bytes end anywhere, and each
 * counts as one record. Where nothing comes, nothing is written.
 *
 * Runs are fed as they come: their borders are looked for only where a frame ends within one. A frame lies in one block
 * of the stage's own pool, which has room for the largest frame there can be. While the sinks hold every block, the
 * stage takes nothing: that is its back-pressure.
 */

#include "pipeline/stages/compress.h"

#include <assert.h>

static bool open_coder(struct node *node)
{
	struct compress *compress = node->state;
	struct frames_plan plan = compress_frames_planned(compress);
	compress->blocks =
		pool_create(compress_block_count(compress), (uint32_t)compress->most_made);
	if (!compress->blocks)
		return false;
	if (compress_has_threads(compress))
		return frames_open(&compress->frames, node, &plan, compress->blocks);
	compress->context = compress->coder->create(compress->chosen_level, compress->frame);
	return compress->context != NULL;
}

static bool compress_open(struct node *node, struct faults *faults)
{
	struct compress *compress = node->state;
	bool coder = open_coder(node);
	bool scratch = compress->largest_record == 0 ||
		       scratch_open(&compress->scratch, compress->largest_record);
	if (!coder || !scratch)
		return node_fault(node, faults, NULL, "there is no memory for the codec");
	return true;
}

static void compress_close(struct node *node)
{
	struct compress *compress = node->state;
	buffer_release(&compress->block);
	frames_close(&compress->frames);
	pool_destroy(compress->blocks);
	compress->blocks = NULL;
	scratch_close(&compress->scratch);
	if (compress->context)
		compress->coder->destroy(compress->context);
	compress->context = NULL;
}

static void compress_halt(struct node *node)
{
	struct compress *compress = node->state;
	frames_halt(&compress->frames);
}

static bool begin(struct compress *compress)
{
	if (compress_has_threads(compress))
		return frames_begin(&compress->frames);
	compress->block = pool_take(compress->blocks);
	if (!compress->block)
		return false;
	compress->coder->begin(compress->context, compress->block->data, compress->block->size);
	return true;
}

/* False if the sinks hold every block, or the threads every frame. */
static bool frame_open(struct compress *compress)
{
	if (compress->open)
		return true;
	if (!begin(compress))
		return false;
	compress->open = true;
	compress->fed = 0;
	compress->records = 0;
	return true;
}

static void finish(struct node *node, struct batch *out)
{
	struct compress *compress = node->state;
	if (compress_has_threads(compress)) {
		frames_finish(&compress->frames, compress->records);
		return;
	}
	size_t size = compress->coder->finish(compress->context);
	frame_put(node, out, &compress->block, size, compress->records);
}

/* False if `out` is full. */
static bool frame_close(struct node *node, struct batch *out)
{
	struct compress *compress = node->state;
	if (!compress->open)
		return true;
	if (!compress_has_threads(compress) && batch_room(out) == 0)
		return false;
	finish(node, out);
	compress->open = false;
	compress->deadline = node->due = 0;
	return true;
}

static void feed(struct node *node, const char *data, size_t size)
{
	struct compress *compress = node->state;
	if (compress_has_threads(compress))
		frames_feed(&compress->frames, data, size);
	else
		compress->coder->feed(compress->context, data, size, &node->account.copies);
	compress->fed += size;
	assert(compress->fed <= compress->most_fed);
	if (!compress->deadline)
		compress->deadline = node_now(node) + compress->linger;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint32_t owed(const struct node *node)
{
	const struct compress *compress = node->state;
	return compress->owes_delimiter ? node->framing->delimiter_size : 0;
}

static size_t frame_room(const struct node *node)
{
	const struct compress *compress = node->state;
	size_t used = compress->fed + owed(node);
	return compress->frame > used ? compress->frame - used : 0;
}

/* The first record of the batch, in bytes. */
static size_t first_record(struct node *node, const struct batch *in)
{
	struct compress *compress = node->state;
	struct record record;
	bool found = record_first(in, node->framing, &compress->scratch, &record);
	assert(found);
	node->account.peeked = compress->scratch.peeked;
	return record.whole;
}

static size_t group_size(const struct batch *in)
{
	size_t size = 0;
	for (uint32_t i = 0, group = batch_group(in); i < group; i++)
		size += batch_peek(in, i)->size;
	return size;
}

/* How many bytes of the batch's first group belong to the open frame: all, or whole records; 0 if the frame must be
 * closed before anything else. Only where a frame ends within a run are records looked for. */
static size_t records_that_fit(struct node *node, const struct batch *in)
{
	const struct compress *compress = node->state;
	size_t room = frame_room(node), size = group_size(in);
	assert(size > 0);
	if (size <= room)
		return size;
	const struct view *first = batch_peek(in, 0);
	bool run = view_records(first) > 0;
	size_t fits =
		run ? framing_last(node->framing, first->data, smaller(room, first->size)) : 0;
	if (fits > 0 || compress->fed > 0)
		return fits;
	return first_record(node, in);
}

static size_t bytes_that_fit(const struct node *node, const struct batch *in)
{
	return smaller(frame_room(node), batch_peek(in, 0)->size);
}

static size_t that_fit(struct node *node, const struct batch *in)
{
	return in->kind == FLOW_RECORDS ? records_that_fit(node, in) : bytes_that_fit(node, in);
}

/* What is left behind a cut begins at a record's start: the records before it are the others. */
static uint32_t records_before(
	const struct node *node, const struct batch *in, const struct view *view, size_t cut)
{
	if (in->kind != FLOW_RECORDS)
		return 0;
	uint32_t left = framing_count(node->framing, view->data + cut, view->size - cut);
	return view_records(view) - left - (view->tag & VIEW_BARE ? 1 : 0);
}

static void count(struct node *node, uint32_t records)
{
	struct compress *compress = node->state;
	compress->records += records;
	node->account.held += records;
}

static void consume_view(struct node *node, struct batch *in)
{
	struct compress *compress = node->state;
	struct view view = batch_take(in);
	feed(node, view.data, view.size);
	if (in->kind == FLOW_RECORDS) {
		compress->owes_delimiter = view.tag & VIEW_BARE;
		count(node, view_records(&view));
	}
	view_drop(&view);
}

static void consume_part(struct node *node, struct batch *in, size_t size)
{
	const struct view *view = batch_peek(in, 0);
	uint32_t records = records_before(node, in, view, size);
	feed(node, view->data, size);
	count(node, records);
	batch_advance(in, (uint32_t)size, records);
}

static void consume(struct node *node, struct batch *in, size_t size)
{
	struct compress *compress = node->state;
	if (compress->owes_delimiter)
		feed(node, node->framing->delimiter, node->framing->delimiter_size);
	compress->owes_delimiter = false;
	while (size > 0) {
		size_t next = batch_peek(in, 0)->size;
		if (next > size) {
			consume_part(node, in, size);
			return;
		}
		consume_view(node, in);
		size -= next;
	}
}

/* An end without bytes: the next stream's bytes follow in the same output. */
static bool skip_empty(struct batch *in)
{
	if (batch_peek(in, 0)->size > 0)
		return false;
	struct view view = batch_take(in);
	view_drop(&view);
	return true;
}

static void take_all(struct node *node, struct batch *in, struct batch *out)
{
	while (batch_ready(in) > 0) {
		if (in->kind == FLOW_BYTES && skip_empty(in))
			continue;
		if (!frame_open(node->state))
			return;
		size_t size = that_fit(node, in);
		if (size > 0)
			consume(node, in, size);
		else if (!frame_close(node, out))
			return;
	}
}

/* Ends the frame whose time has come. While `out` is full it is not waited for: that there is room wakes the node. */
static void heed_linger(struct node *node, struct batch *out)
{
	const struct compress *compress = node->state;
	uint64_t now = node_now(node);
	if (compress->deadline && now >= compress->deadline)
		frame_close(node, out);
	node->due = compress->deadline > now ? compress->deadline : 0;
}

/* A sink has asked that the open frame ends. What threads are at leaves before it. */
static void heed_flush(struct node *node, struct batch *out)
{
	const struct compress *compress = node->state;
	if (!node->flush || !frame_close(node, out))
		return;
	node->flush = false;
	node->flushed =
		out->put.views + (compress_has_threads(compress) ? compress->frames.count : 0);
}

/* True if no finished frame is left. */
static bool move(struct node *node, struct batch *out)
{
	struct compress *compress = node->state;
	return !compress_has_threads(compress) || frames_move(&compress->frames, out);
}

static void compress_process(struct node *node, struct batch *in, struct batch *out)
{
	move(node, out);
	take_all(node, in, out);
	heed_linger(node, out);
	heed_flush(node, out);
	move(node, out);
}

static bool compress_settle(struct node *node, struct batch *out)
{
	return frame_close(node, out) && move(node, out);
}

const struct stage_ops stage_compress = {
	.type = {
		.name = "compress",
		.doc = "Makes compressed frames, each complete in itself. Where no record comes, "
		       "nothing is written.",
		.options = compress_options,
		.state_size = sizeof(struct compress),
		.example = "{\"compress\": {\"codec\": \"zstd\", \"level\": 3}}",
		.plan = compress_plan,
		.open = compress_open,
		.close = compress_close,
		.halt = compress_halt,
	},
	.process = compress_process,
	.settle = compress_settle,
};
