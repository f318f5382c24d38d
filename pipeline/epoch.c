/* Epochs: what is safe is committed, without closing an edge or stopping the data. */

#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>

static bool has_commit(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SOURCE && source_ops(node)->commit)
			return true;
	}
	return false;
}

bool epoch_open(struct run *run, uint64_t interval)
{
	struct epoch *epoch = &run->epoch;
	epoch->interval = interval;
	size_t nodes = run->pipeline->node_count;
	epoch->wanted = has_commit(run->pipeline);
	epoch->noted = calloc(run->pipeline->streams + 1, sizeof(*epoch->noted));
	epoch->passed = calloc(nodes, sizeof(*epoch->passed));
	epoch->sink_mark = calloc(nodes, sizeof(*epoch->sink_mark));
	return epoch->noted && epoch->passed && epoch->sink_mark;
}

void epoch_close(struct run *run)
{
	free(run->epoch.noted);
	free(run->epoch.passed);
	free(run->epoch.sink_mark);
	run->epoch = (struct epoch){ 0 };
}

static bool all_passed(const struct run *run, const struct edge *edge)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node_feeds(node, edge) && run->epoch.passed[i] < run->epoch.number &&
			!node->finished)
			return false;
	}
	return true;
}

/* Where legs meet, the mark is set when the epoch has come from all. A sink's is kept beside its edge: it needs not stop
 * there. On a drop branch the mark of an epoch that nobody waited for may still be under way: it stands for this one. */
static void mark_edge(struct run *run, struct edge *edge)
{
	struct node *consumer = edge->consumer;
	if (edge->epoch == run->epoch.number || !all_passed(run, edge))
		return;
	edge->epoch = run->epoch.number;
	if (consumer->role == NODE_SINK)
		run->epoch.sink_mark[run_index(run, consumer)] = edge->batch.put.views;
	else if (!edge->batch.marked)
		batch_set_mark(&edge->batch);
}

void epoch_pass(struct run *run, struct node *node)
{
	run->epoch.passed[run_index(run, node)] = run->epoch.number;
	for (size_t i = 0; i < run->pipeline->edge_count; i++)
		if (node_feeds(node, &run->pipeline->edges[i]))
			mark_edge(run, &run->pipeline->edges[i]);
}

void epoch_node_finished(struct run *run, struct node *node)
{
	if (run->epoch.open && node->role != NODE_SINK)
		epoch_pass(run, node);
}

static void start(struct run *run)
{
	struct epoch *epoch = &run->epoch;
	epoch->open = true;
	epoch->number++;
	epoch->due = 0;
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (node->role == NODE_SOURCE && source_ops(node)->note)
			source_ops(node)->note(node);
	}
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i]->role == NODE_SOURCE)
			epoch_pass(run, run->pipeline->nodes[i]);
}

/* Sinks on a `drop` branch hold up nobody. */
static bool sinks_are_safe(const struct run *run)
{
	const struct pipeline *pipeline = run->pipeline;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role != NODE_SINK || node->optional)
			continue;
		if (edge_of(node->in)->epoch != run->epoch.number ||
			node->safe < run->epoch.sink_mark[i])
			return false;
	}
	return true;
}

static void commit(struct run *run)
{
	run->epoch.open = false;
	for (size_t i = 0; i < run->pipeline->node_count; i++) {
		struct node *node = run->pipeline->nodes[i];
		if (node->role == NODE_SOURCE && source_ops(node)->commit)
			source_ops(node)->commit(node);
	}
}

static bool sources_ended(const struct run *run)
{
	for (size_t i = 0; i < run->pipeline->node_count; i++)
		if (run->pipeline->nodes[i]->role == NODE_SOURCE && !run->pipeline->nodes[i]->ended)
			return false;
	return true;
}

bool epoch_lets_close(struct run *run)
{
	return !run->epoch.wanted || run->epoch.last_done;
}

void epoch_moved(struct run *run, uint64_t now)
{
	struct epoch *epoch = &run->epoch;
	if (epoch->wanted && !epoch->due && !epoch->last_done)
		epoch->due = now + epoch->interval;
}

void epoch_step(struct run *run, uint64_t now)
{
	struct epoch *epoch = &run->epoch;
	if (!epoch->wanted)
		return;
	if (epoch->open && sinks_are_safe(run))
		commit(run);
	if (epoch->open || epoch->last_done)
		return;
	bool last = sources_ended(run);
	if (last || (epoch->due && now >= epoch->due)) {
		start(run);
		epoch->last_done = last;
	}
}
