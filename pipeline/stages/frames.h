/* Frames that are made on other threads, side by side, and leave in the order in which they were begun.
 *
 *     feed ─▶ [ staged | staged | at work | at work | made ] ─▶ out
 *                          at most two a thread
 *
 * The input of a frame is copied into a staging block (counted as `stage`), and is ready when there is a block to make it
 * in. A thread takes the oldest that is ready, and goes on with the next: if it waited for the loop in between, both would
 * wake each other for each frame, and the system would put the threads on one processor. Shared is the ring, under its
 * lock; a frame at work is its thread's alone.
 */
#pragma once

#include "pipeline/codecs/codec.h"
#include "pipeline/node.h"

#include <pthread.h>

struct frame;
struct maker;

struct frames {
	struct node *node;
	const struct codec *coder;
	struct pool *blocks;  /* that frames are made in */
	pthread_mutex_t lock; /* of the ring's bounds, the states and `halted` */
	struct frame *ring;
	uint32_t capacity, first, count;
	struct maker *makers;
	uint32_t maker_count;
	size_t most_fed;
	bool halted;
};

struct frames_plan {
	const struct codec *coder;
	unsigned level;
	size_t usual;    /* bytes of input in a frame */
	size_t most_fed; /* in the largest */
	uint32_t threads;
};

/* The memory that frames_open() takes. */
uint64_t frames_cost(const struct frames_plan *plan);

/* False if there is no memory. `blocks` stays the caller's. */
bool frames_open(struct frames *frames, struct node *node, const struct frames_plan *plan,
	struct pool *blocks);

/* Nothing may be in flight. Zeroed frames are allowed. */
void frames_close(struct frames *frames);

/* Begins a frame. False if as many as may be are under way. */
bool frames_begin(struct frames *frames);

/* Adds to the frame that was begun last. */
void frames_feed(struct frames *frames, const char *data, size_t size);

/* The frame that was begun last is whole; it holds so many records (0: it is of bytes). */
void frames_finish(struct frames *frames, uint32_t records);

/* Gives work to threads that have none, and puts what is made. True if every frame that was finished has left. */
bool frames_move(struct frames *frames, struct batch *out);

/* Takes back what no thread has begun, and begins nothing more. */
void frames_halt(struct frames *frames);

/* Puts a made frame of `size` bytes, for which there is room, and lets go of its block. */
void frame_put(
	struct node *node, struct batch *out, struct buffer **block, size_t size, uint32_t records);
