/* A full batch holds up whoever puts into it, and so on up the row: to the sources, or to the first branch that drops. A
 * tee that waits for one branch gives nothing to its other ones.
 */

#include "pipeline/holds.h"

const struct branch *holds_branch(const struct edge *edge)
{
	if (edge->producer->role != NODE_TEE)
		return NULL;
	const struct tee *tee = edge->producer->state;
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].in == &edge->batch)
			return &tee->branches[i];
	return NULL;
}

/* The edge before this one; NULL where the row begins. */
static const struct edge *edge_before(const struct edge *edge)
{
	return edge->producer->in ? edge_of(edge->producer->in) : NULL;
}

unsigned holds_depth(const struct node *node)
{
	unsigned depth = 0;
	const struct edge *edge = node->in ? edge_of(node->in) : NULL;
	for (; edge; edge = edge_before(edge))
		depth += holds_branch(edge) != NULL;
	return depth;
}

/* The edge where waiting ends: it begins the first branch above that drops. NULL: it reaches the sources. */
static const struct edge *last_waiting(const struct node *sink)
{
	const struct edge *edge = edge_of(sink->in);
	for (; edge; edge = edge_before(edge)) {
		const struct branch *branch = holds_branch(edge);
		if (branch && branch->drop)
			return edge;
	}
	return NULL;
}

bool holds_on_drop(const struct node *sink)
{
	return last_waiting(sink) != NULL;
}

static bool gets_through(const struct node *node, const struct edge *through)
{
	const struct edge *edge = edge_of(node->in);
	while (edge && edge != through)
		edge = edge_before(edge);
	return edge == through;
}

bool holds_up(const struct node *sink, const struct node *other)
{
	const struct edge *last = last_waiting(sink);
	if (other == sink || other->pipeline != sink->pipeline)
		return false;
	if (other->role == NODE_SOURCE)
		return last == NULL;
	return other->role == NODE_SINK && (!last || gets_through(other, last));
}
