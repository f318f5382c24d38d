/* The ring of frames, and the threads that make them: see the header. */

#include "pipeline/stages/frames.h"

#include <assert.h>
#include <stdlib.h>

enum { FRAMES_A_THREAD = 2, MOST_IN_A_ROW = 16 /* before others of the pool's work may begin */ };

enum state { STAGING, STAGED, READY, AT_WORK, MADE };

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
	bool busy;
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

static void set_state(struct frames *frames, struct frame *frame, enum state state)
{
	pthread_mutex_lock(&frames->lock);
	frame->state = state;
	pthread_mutex_unlock(&frames->lock);
}

static bool has_state(struct frames *frames, const struct frame *frame, enum state state)
{
	pthread_mutex_lock(&frames->lock);
	bool has = frame->state == state;
	pthread_mutex_unlock(&frames->lock);
	return has;
}

/* Making */

/* On a thread, as what follows. The oldest that is ready becomes its own; NULL if there is none. */
static struct frame *take_ready(struct frames *frames)
{
	struct frame *found = NULL;
	pthread_mutex_lock(&frames->lock);
	for (uint32_t i = 0; i < frames->count && !frames->halted && !found; i++)
		if (frame_at(frames, i)->state == READY)
			found = frame_at(frames, i);
	if (found)
		found->state = AT_WORK;
	pthread_mutex_unlock(&frames->lock);
	return found;
}

/* The block is not published yet: nobody else touches it. */
static void make_frame(struct maker *maker, struct frame *frame)
{
	const struct codec *coder = maker->frames->coder;
	coder->begin(maker->context, frame->block->data, frame->block->size);
	coder->feed(maker->context, frame->input, frame->size, NULL);
	frame->made = coder->finish(maker->context);
	set_state(maker->frames, frame, MADE);
}

static void make(void *owner)
{
	struct maker *maker = owner;
	for (int i = 0; i < MOST_IN_A_ROW; i++) {
		struct frame *frame = take_ready(maker->frames);
		if (!frame)
			return;
		make_frame(maker, frame);
		node_work_tell(maker->work);
	}
}

static void made(void *owner, bool ran)
{
	struct maker *maker = owner;
	(void)ran;
	maker->busy = false;
}

/* The oldest get their blocks first. How many frames wait for a thread. */
static uint32_t make_ready(struct frames *frames)
{
	uint32_t ready = 0;
	for (uint32_t i = 0; i < frames->count; i++) {
		struct frame *frame = frame_at(frames, i);
		if (has_state(frames, frame, STAGED)) {
			frame->block = pool_take(frames->blocks);
			if (!frame->block)
				break;
			set_state(frames, frame, READY);
		}
		ready += has_state(frames, frame, READY);
	}
	return ready;
}

static void start_makers(struct frames *frames, uint32_t ready)
{
	for (uint32_t i = 0; i < frames->maker_count && ready > 0 && !frames->halted; i++) {
		struct maker *maker = &frames->makers[i];
		if (maker->busy)
			continue;
		maker->busy = true;
		node_work_start(maker->work);
		ready--;
	}
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

static void pop(struct frames *frames)
{
	pthread_mutex_lock(&frames->lock);
	frames->first = (frames->first + 1) % frames->capacity;
	frames->count--;
	pthread_mutex_unlock(&frames->lock);
}

static void put_made(struct frames *frames, struct batch *out)
{
	while (frames->count > 0 && has_state(frames, frame_at(frames, 0), MADE) &&
		batch_room(out) > 0) {
		struct frame *frame = frame_at(frames, 0);
		frame_put(frames->node, out, &frame->block, frame->made, frame->records);
		pop(frames);
	}
}

bool frames_move(struct frames *frames, struct batch *out)
{
	put_made(frames, out);
	start_makers(frames, make_ready(frames));
	return frames->count == 0 ||
	       (frames->count == 1 && has_state(frames, newest(frames), STAGING));
}

void frames_halt(struct frames *frames)
{
	if (!frames->node)
		return;
	pthread_mutex_lock(&frames->lock);
	frames->halted = true;
	pthread_mutex_unlock(&frames->lock);
	for (uint32_t i = 0; i < frames->maker_count; i++)
		if (frames->makers[i].work)
			node_work_cancel(frames->makers[i].work);
}

/* Staging */

bool frames_begin(struct frames *frames)
{
	if (frames->count == frames->capacity)
		return false;
	pthread_mutex_lock(&frames->lock);
	frames->count++;
	struct frame *frame = newest(frames);
	frame->state = STAGING;
	pthread_mutex_unlock(&frames->lock);
	assert(!frame->block);
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
	set_state(frames, frame, STAGED);
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
	pthread_mutex_init(&frames->lock, NULL);
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
	if (frames->node)
		pthread_mutex_destroy(&frames->lock);
	*frames = (struct frames){ 0 };
}
