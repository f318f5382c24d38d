/* The ring of frames, and the threads that make them: see the header. */

#include "pipeline/stages/frames.h"

#include <assert.h>
#include <stdlib.h>

enum { FRAMES_A_THREAD = 2 };

enum state { STAGING, STAGED, AT_WORK, MADE };

struct frame {
	enum state state;
	char *input;
	size_t size, made; /* bytes of input, of the frame */
	uint32_t records;
	struct buffer *block;
};

/* A context, and the thread's work with it. */
struct maker {
	struct frames *frames;
	void *context;
	struct node_work *work;
	struct frame *frame; /* NULL: it is idle */
};

static struct frame *frame_at(const struct frames *frames, uint32_t index)
{
	return &frames->ring[(frames->first + index) % frames->capacity];
}

static struct frame *newest(const struct frames *frames)
{
	assert(frames->count > 0);
	return frame_at(frames, frames->count - 1);
}

/* Making */

/* On a thread. The block is not published yet: nobody else touches it. */
static void make(void *owner)
{
	struct maker *maker = owner;
	struct frame *frame = maker->frame;
	const struct codec *coder = maker->frames->coder;
	coder->begin(maker->context, frame->block->data, frame->block->size);
	coder->feed(maker->context, frame->input, frame->size, NULL);
	frame->made = coder->finish(maker->context);
}

/* What was taken back is as it was before, but for its block, which is kept. */
static void made(void *owner, bool ran)
{
	struct maker *maker = owner;
	maker->frame->state = ran ? MADE : STAGED;
	maker->frame = NULL;
}

static struct frame *first_staged(const struct frames *frames)
{
	for (uint32_t i = 0; i < frames->count; i++)
		if (frame_at(frames, i)->state == STAGED)
			return frame_at(frames, i);
	return NULL;
}

/* False if nothing waits, or there is no block. */
static bool give_work(struct frames *frames, struct maker *maker)
{
	struct frame *frame = first_staged(frames);
	if (!frame || frames->halted)
		return false;
	if (!frame->block)
		frame->block = pool_take(frames->blocks);
	if (!frame->block)
		return false;
	frame->state = AT_WORK;
	maker->frame = frame;
	node_work_start(maker->work);
	return true;
}

void frame_put(
	struct node *node, struct batch *out, struct buffer **block, size_t size, uint32_t records)
{
	struct view view = view_publish(*block, (uint32_t)size);
	view.tag = records;
	if (records == 0) { /* of bytes: each frame counts as a record, which is found here */
		view.tag = 1;
		node->account.found++;
	}
	bool put = batch_put(out, &view);
	assert(put);
	buffer_release(block);
	node->account.held -= records;
}

static void put_made(struct frames *frames, struct batch *out)
{
	while (frames->count > 0 && frame_at(frames, 0)->state == MADE && batch_room(out) > 0) {
		struct frame *frame = frame_at(frames, 0);
		frame_put(frames->node, out, &frame->block, frame->made, frame->records);
		frames->first = (frames->first + 1) % frames->capacity;
		frames->count--;
	}
}

bool frames_move(struct frames *frames, struct batch *out)
{
	put_made(frames, out);
	for (uint32_t i = 0; i < frames->maker_count; i++)
		if (!frames->makers[i].frame && !give_work(frames, &frames->makers[i]))
			break;
	return frames->count == 0 || (frames->count == 1 && newest(frames)->state == STAGING);
}

void frames_halt(struct frames *frames)
{
	frames->halted = true;
	for (uint32_t i = 0; i < frames->maker_count; i++)
		if (frames->makers[i].work)
			node_work_cancel(frames->makers[i].work);
}

/* Staging */

bool frames_begin(struct frames *frames)
{
	if (frames->count == frames->capacity)
		return false;
	frames->count++;
	struct frame *frame = newest(frames);
	assert(!frame->block);
	frame->state = STAGING;
	frame->size = 0;
	return true;
}

void frames_feed(struct frames *frames, const char *data, size_t size)
{
	struct frame *frame = newest(frames);
	assert(frame->state == STAGING);
	assert(size <= frames->most_fed - frame->size);
	payload_copy(
		frame->input + frame->size, data, size, COPY_STAGE, &frames->node->account.copies);
	frame->size += size;
}

void frames_finish(struct frames *frames, uint32_t records)
{
	struct frame *frame = newest(frames);
	assert(frame->state == STAGING);
	frame->records = records;
	frame->state = STAGED;
}

/* Opening and closing */

uint64_t frames_cost(const struct frames_plan *plan)
{
	uint64_t staged = (uint64_t)FRAMES_A_THREAD * plan->most_fed;
	return plan->threads * (plan->coder->cost(plan->level, plan->usual) + staged);
}

static bool open_makers(struct frames *frames, const struct frames_plan *plan)
{
	frames->makers = calloc(plan->threads, sizeof(*frames->makers));
	if (!frames->makers)
		return false;
	frames->maker_count = plan->threads;
	for (uint32_t i = 0; i < plan->threads; i++) {
		struct maker *maker = &frames->makers[i];
		maker->frames = frames;
		maker->context = plan->coder->create(plan->level, plan->usual);
		maker->work = node_work_create(frames->node, make, made, maker);
		if (!maker->context || !maker->work)
			return false;
	}
	return true;
}

static bool open_ring(struct frames *frames, const struct frames_plan *plan)
{
	uint32_t capacity = FRAMES_A_THREAD * plan->threads;
	frames->ring = calloc(capacity, sizeof(*frames->ring));
	if (!frames->ring)
		return false;
	frames->capacity = capacity;
	for (uint32_t i = 0; i < capacity; i++) {
		frames->ring[i].input = malloc(plan->most_fed);
		if (!frames->ring[i].input)
			return false;
	}
	return true;
}

bool frames_open(struct frames *frames, struct node *node, const struct frames_plan *plan,
	struct pool *blocks)
{
	*frames = (struct frames){
		.node = node, .coder = plan->coder, .blocks = blocks, .most_fed = plan->most_fed
	};
	return open_makers(frames, plan) && open_ring(frames, plan);
}

void frames_close(struct frames *frames)
{
	for (uint32_t i = 0; i < frames->maker_count; i++) {
		frames->coder->destroy(frames->makers[i].context);
		node_work_destroy(frames->makers[i].work);
	}
	for (uint32_t i = 0; i < frames->capacity; i++) {
		buffer_release(&frames->ring[i].block);
		free(frames->ring[i].input);
	}
	free(frames->makers);
	free(frames->ring);
	*frames = (struct frames){ 0 };
}
