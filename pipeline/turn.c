/* A turn: rounds until nothing moves, or a bound is met; and when the next one is due. */

#include "pipeline/run.h"

#include "pipeline/io/loop.h"

#include <assert.h>
#include <time.h>

enum { TURN_BYTES = 1024 * 1024, TURN_ROUNDS = 16, TURN_NS = 1000 * 1000, MOST_OVERDUE = 100 };

uint64_t turn_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t turn_due(const struct run *run)
{
	uint64_t due = run->epoch.open ? 0 : run->epoch.due;
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		const struct node *node = run->pipeline->nodes[i];
		if (node->role == NODE_SOURCE && node->rested)
			continue; /* it is asked again when it goes on */
		if (!node->finished && node->due && (!due || node->due < due))
			due = node->due;
	}
	return due;
}

/* A node whose time has come must have set another, or none. */
static void check_due(struct run *run, uint64_t now)
{
	uint64_t due = turn_due(run);
	run->overdue = due && due <= now ? run->overdue + 1 : 0;
	assert(run->overdue < MOST_OVERDUE);
}

/* False: a bound was met before. */
static bool rounds_come_to_rest(struct run *run)
{
	uint64_t begin = turn_clock(), read = run->read;
	round_flush(run); /* what waits goes first: the kernel writes while the sources read */
	for (unsigned round = 0; round < TURN_ROUNDS; round++) {
		run->ready = false;
		bool moves = round_moves(run);
		loop_submit(run->engine->loop);
		if (!moves && !run->ready)
			return true;
		if (run->read - read >= TURN_BYTES || turn_clock() - begin >= TURN_NS)
			break;
	}
	return false;
}

void turn_take(struct run *run)
{
	uint64_t now = loop_now(run->engine->loop);
	waiting_end(run, now);
	if (rounds_come_to_rest(run)) {
		check_due(run, now);
		waiting_begin(run, now);
	} else {
		round_flush(run);
		run->ready = true;
	}
	waiting_note_down(run, now);
}
