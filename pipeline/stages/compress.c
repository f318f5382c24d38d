/* compress: makes frames of records, or of one stream's bytes.
 *
 * A frame is complete in itself. It is closed when the next record would take it over `frame` bytes of input (a larger
 * record has a frame of its own), when an epoch settles, and at the end; so it ends at a record's border. Frames of
 * bytes end anywhere, and each counts as one record.
 *
 * Runs are fed as they come: their borders are looked for only where a frame ends within one. A frame lies in one block
 * of the stage's own pool, which has room for the largest frame there can be. While the sinks hold every block, the
 * stage takes nothing: that is its back-pressure.
 */

#include "config/units.h"
#include "pipeline/codecs/codec.h"
#include "pipeline/flow/record.h"
#include "pipeline/node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { LEAST_BLOCKS = 2, LEAST_IN_BLOCKS = 512 << 10 };

struct compress {
	unsigned codec;
	uint64_t level, frame;

	const struct codec *coder;
	unsigned chosen_level;
	size_t largest_record; /* with a delimiter in front of it */
	size_t most_fed;       /* bytes of input in the largest frame there can be */
	size_t most_made;      /* bytes of that frame at worst */
	void *context;
	struct pool *blocks;
	struct scratch scratch; /* for a record in several views in a group larger than a frame */

	struct buffer *block; /* of the open frame; NULL: none is open */
	size_t fed;           /* bytes of input in the open frame */
	uint32_t records;     /* in the open frame */
	bool owes_delimiter;  /* the record fed last is bare: before another goes its delimiter */
};

enum { ZSTD, GZIP, LZ4 };

static const char *const codecs[] = { [ZSTD] = "zstd", [GZIP] = "gzip", [LZ4] = "lz4", NULL };

static const struct levels {
	unsigned standard, most;
} levels[] = { [ZSTD] = { 3, 19 }, [GZIP] = { 1, 9 }, [LZ4] = { 1, 12 } };

static const struct option options[] = {
	OPTION(CHOICE, struct compress, codec, .primary = true, .choices = codecs,
		.doc = "The format of the frames."),
	OPTION(COUNT, struct compress, level, .least = "1", .most = "19", .example = "3",
		.doc = "How much work is put into making it small: zstd 1 to 19 (3 if not set), "
		       "gzip 1 to 9 (1), lz4 1 to 12 (1)."),
	OPTION(SIZE, struct compress, frame, .standard = "1MiB", .least = "4KiB", .most = "64MiB",
		.doc = "The most bytes of input in one frame. A frame is complete in itself and "
		       "ends at a record's border; a larger record has a frame of its own."),
	OPTIONS_END,
};

static bool choose_level(struct node *node, struct compress *compress, struct faults *faults)
{
	const struct levels *bounds = &levels[compress->codec];
	compress->chosen_level = compress->level ? (unsigned)compress->level : bounds->standard;
	if (compress->chosen_level <= bounds->most)
		return true;
	char remedy[64];
	snprintf(remedy, sizeof(remedy), "a level from 1 to %u", bounds->most);
	return fault_at(faults, option_value(options, node->value, "level"), remedy,
		"the levels of %s go up to %u", codecs[compress->codec], bounds->most);
}

static const struct codec *choose_coder(const struct compress *compress)
{
	switch (compress->codec) {
	case ZSTD:
		return &codec_zstd;
	case GZIP:
		return compress->chosen_level <= 3 ? &codec_gzip : &codec_deflate;
	default:
		return &codec_lz4;
	}
}

static bool refuse_input(struct node *node, const struct shape *in, struct faults *faults)
{
	if (in->kind == FLOW_FRAMES)
		return fault_at(faults, node->value, "leave out one of the two",
			"what comes in is compressed already");
	if (in->kind == FLOW_BYTES && in->streams > 1)
		return fault_at(faults, node->value, "put {\"split\": \"newline\"} before it",
			"the bytes of several streams would be mixed in one frame");
	return true;
}

/* A delimiter that a bare record lacks is put in front of the record behind it. */
static void measure(struct compress *compress, const struct shape *in)
{
	if (in->kind == FLOW_RECORDS)
		compress->largest_record = in->max_record + in->framing->delimiter_size;
	compress->most_fed = compress->frame > compress->largest_record ? compress->frame
									: compress->largest_record;
	compress->most_made = compress->coder->bound(compress->most_fed);
}

/* Small frames get more blocks, so that a sink can write many at once. */
static uint32_t block_count(const struct compress *compress)
{
	size_t count = LEAST_IN_BLOCKS / compress->most_made + 1;
	return count > LEAST_BLOCKS ? (uint32_t)count : LEAST_BLOCKS;
}

static uint64_t memory_needed(const struct compress *compress)
{
	return compress->coder->cost(compress->chosen_level, compress->frame) +
	       compress->largest_record +
	       block_count(compress) * pool_buffer_cost((uint32_t)compress->most_made);
}

static bool compress_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct compress *compress = node->state;
	bool fine = choose_level(node, compress, faults);
	if (!refuse_input(node, in, faults) || !fine)
		return false;
	compress->coder = choose_coder(compress);
	measure(compress, in);
	if (compress->most_made > UINT32_MAX)
		return fault_at(faults, node->value, "set a smaller max_record",
			"a record of %" PRIu64 " bytes does not fit a frame", in->max_record);
	node->charge += memory_needed(compress);
	char frame[32];
	snprintf(node->how, sizeof(node->how), "%s level %u, frames of %s", compress->coder->name,
		compress->chosen_level, size_format(compress->frame, frame));
	snprintf(node->copies_why, sizeof(node->copies_why), "%s", compress->coder->copies_why);
	*out = (struct shape){
		.kind = FLOW_FRAMES, .max_record = compress->most_made, .most_views = 1
	};
	return true;
}

static bool compress_open(struct node *node, struct faults *faults)
{
	struct compress *compress = node->state;
	compress->context = compress->coder->create(compress->chosen_level, compress->frame);
	compress->blocks = pool_create(block_count(compress), (uint32_t)compress->most_made);
	bool scratch = compress->largest_record == 0 ||
		       scratch_open(&compress->scratch, compress->largest_record);
	if (!compress->context || !compress->blocks || !scratch)
		return fault_at(
			faults, NULL, NULL, "%s: there is no memory for the codec", node->name);
	return true;
}

static void compress_close(struct node *node)
{
	struct compress *compress = node->state;
	buffer_release(&compress->block);
	pool_destroy(compress->blocks);
	compress->blocks = NULL;
	scratch_close(&compress->scratch);
	if (compress->context)
		compress->coder->destroy(compress->context);
	compress->context = NULL;
}

/* False if the sinks hold every block. */
static bool frame_open(struct compress *compress)
{
	if (compress->block)
		return true;
	compress->block = pool_take(compress->blocks);
	if (!compress->block)
		return false;
	compress->coder->begin(compress->context, compress->block->data, compress->block->size);
	compress->fed = 0;
	compress->records = 0;
	return true;
}

/* False if `out` is full. */
static bool frame_close(struct node *node, struct batch *out)
{
	struct compress *compress = node->state;
	if (!compress->block)
		return true;
	if (batch_room(out) == 0)
		return false;
	size_t size = compress->coder->finish(compress->context);
	struct view frame = view_publish(compress->block, (uint32_t)size);
	frame.tag = compress->records;
	if (frame.tag == 0) { /* of bytes: each frame counts as a record, which is found here */
		frame.tag = 1;
		node->account.found++;
	}
	bool put = batch_put(out, &frame);
	assert(put);
	buffer_release(&compress->block);
	node->account.held = 0;
	return true;
}

static void feed(struct node *node, const char *data, size_t size)
{
	struct compress *compress = node->state;
	compress->coder->feed(compress->context, data, size, &node->account.copies);
	compress->fed += size;
	assert(compress->fed <= compress->most_fed);
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

static void compress_process(struct node *node, struct batch *in, struct batch *out)
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

const struct stage_ops stage_compress = {
	.type = {
		.name = "compress",
		.doc = "Makes compressed frames, each complete in itself.",
		.options = options,
		.state_size = sizeof(struct compress),
		.example = "{\"compress\": {\"codec\": \"zstd\", \"level\": 3}}",
		.plan = compress_plan,
		.open = compress_open,
		.close = compress_close,
	},
	.process = compress_process,
	.settle = frame_close,
};
