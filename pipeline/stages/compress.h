/* What the files of compress share: its options and planning (compress_plan.c), and its frames (compress.c). */
#pragma once

#include "pipeline/codecs/codec.h"
#include "pipeline/flow/record.h"
#include "pipeline/node.h"
#include "pipeline/stages/frames.h"

struct compress {
	unsigned codec;
	uint64_t level, frame, linger, threads;

	const struct codec *coder;
	unsigned chosen_level;
	size_t largest_record; /* with a delimiter in front of it */
	size_t most_fed;       /* bytes of input in the largest frame there can be */
	size_t most_made;      /* bytes of that frame at worst */
	void *context;         /* without threads */
	struct frames frames;  /* with threads */
	struct pool *blocks;
	struct scratch scratch; /* for a record in several views in a group larger than a frame */

	bool open;            /* a frame is */
	struct buffer *block; /* of the open frame, without threads */
	uint64_t deadline;    /* of the open frame, from its first byte on; 0: none */
	size_t fed;           /* bytes of input in the open frame */
	uint32_t records;     /* in the open frame */
	bool owes_delimiter;  /* the record fed last is bare: before another goes its delimiter */
};

extern const struct option compress_options[];

bool compress_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults);

static inline bool compress_has_threads(const struct compress *compress)
{
	return compress->threads > 1;
}

/* Small frames get more blocks, so that a sink can write many at once; each thread has one at work. */
uint32_t compress_block_count(const struct compress *compress);

struct frames_plan compress_frames_planned(const struct compress *compress);
