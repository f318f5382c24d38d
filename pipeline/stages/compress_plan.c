/* What compress may be told, and what that comes to: the codec, the largest frame, the memory. */

#include "pipeline/stages/compress.h"

#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>

enum { LEAST_BLOCKS = 2, LEAST_IN_BLOCKS = 512 << 10 };

enum { ZSTD, GZIP, LZ4 };

static const char *const codecs[] = { [ZSTD] = "zstd", [GZIP] = "gzip", [LZ4] = "lz4", NULL };

static const struct levels {
	unsigned standard, most;
} levels[] = { [ZSTD] = { 3, 19 }, [GZIP] = { 1, 9 }, [LZ4] = { 1, 12 } };

const struct option compress_options[] = {
	OPTION(CHOICE, struct compress, codec, .primary = true, .choices = codecs,
		.doc = "The format of the frames."),
	OPTION(COUNT, struct compress, level, .least = "1", .most = "19", .example = "3",
		.doc = "How much work is put into making it small: zstd 1 to 19 (3 if not set), "
		       "gzip 1 to 9 (1), lz4 1 to 12 (1)."),
	OPTION(SIZE, struct compress, frame, .standard = "1MiB", .least = "4KiB", .most = "64MiB",
		.doc = "The most bytes of input in one frame. A frame is complete in itself and "
		       "ends at a record's border; a larger record has a frame of its own."),
	OPTION(TIME, struct compress, linger, .standard = "5s", .least = "1ms", .most = "1d",
		.doc = "A frame ends at the latest when this has passed since its first byte."),
	OPTION(COUNT, struct compress, threads, .standard = "1", .least = "1", .most = "64",
		.doc = "With more than one, frames are made side by side on so many threads, and "
		       "leave in order."),
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
	return fault_at(faults, option_value(compress_options, node->value, "level"), remedy,
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

uint32_t compress_block_count(const struct compress *compress)
{
	size_t count = LEAST_IN_BLOCKS / compress->most_made + 1;
	if (count < LEAST_BLOCKS)
		count = LEAST_BLOCKS;
	return (uint32_t)(count + (compress_has_threads(compress) ? compress->threads : 0));
}

struct frames_plan compress_frames_planned(const struct compress *compress)
{
	return (struct frames_plan){ .coder = compress->coder,
		.level = compress->chosen_level,
		.usual = compress->frame,
		.most_fed = compress->most_fed,
		.threads = (uint32_t)compress->threads };
}

static uint64_t context_cost(const struct compress *compress)
{
	struct frames_plan plan = compress_frames_planned(compress);
	return compress_has_threads(compress)
		       ? frames_cost(&plan)
		       : compress->coder->cost(compress->chosen_level, compress->frame);
}

static uint64_t memory_needed(const struct compress *compress)
{
	return context_cost(compress) + compress->largest_record +
	       compress_block_count(compress) * pool_buffer_cost((uint32_t)compress->most_made);
}

static void explain(struct node *node)
{
	const struct compress *compress = node->state;
	char frame[32], threads[32] = "";
	if (compress_has_threads(compress))
		snprintf(threads, sizeof(threads), ", %" PRIu64 " threads", compress->threads);
	snprintf(node->how, sizeof(node->how), "%s level %u, frames of %s%s", compress->coder->name,
		compress->chosen_level, size_format(compress->frame, frame), threads);
	snprintf(node->copies_why, sizeof(node->copies_why), "%s",
		compress_has_threads(compress) ? "stage: all, once" : compress->coder->copies_why);
	node->threads = compress_has_threads(compress) ? (uint32_t)compress->threads : 0;
}

bool compress_plan(
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
	explain(node);
	*out = (struct shape){
		.kind = FLOW_FRAMES, .max_record = compress->most_made, .most_views = 1
	};
	return true;
}
