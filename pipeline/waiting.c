/* Waiting: how long nodes kept those before them waiting, looked at when a turn has ended and nothing moves, and again
 * when the next one begins; and since when sinks fail, looked at after each turn: others may never let it rest.
 */

#include "pipeline/run.h"

/* A record of the largest size finds no room in front of the node. */
static bool keeps_waiting(const struct node *node)
{
	return node->in && !node->finished && batch_room(node->in) < node->in->room_limit / 2;
}

void waiting_begin(struct run *run, uint64_t now)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (!node->blocked_since && keeps_waiting(node))
			node->blocked_since = now;
	}
}

void waiting_note_down(struct run *run, uint64_t now)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (node->role != NODE_SINK || node->up || node->finished)
			node->down_since = 0;
		else if (!node->down_since)
			node->down_since = now;
	}
}

void waiting_end(struct run *run, uint64_t now)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (!node->blocked_since)
			continue;
		node->account.blocked += now - node->blocked_since;
		node->blocked_since = 0;
	}
}
