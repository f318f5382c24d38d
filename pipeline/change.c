/* Changing what runs: pipelines are added, retired, and replaced by others that go on with their sources.
 *
 *     old:   rest ──▶ quiet ──▶ hand over ──▶ quiet ──▶ remove
 *                                   │ sources, and the unfinished bytes of their streams (handing.c)
 *     next:                         └──────────────────────▶ take over
 */

#include "pipeline/io/loop.h"
#include "pipeline/run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- which sources go on ------------------------------------------------------------------------------------------- */

/* A stage that gives bytes for bytes (decompress) keeps a context for each stream, which cannot be handed over; and what
 * several hold of the same stream, behind a tee, cannot be put in front of all of them. */
static bool keeps_contexts(const struct node *node, bool behind_tee)
{
	return node->role == NODE_STAGE && edge_of(node->in)->kind == FLOW_BYTES &&
	       (behind_tee || edge_of(node->out)->kind == FLOW_BYTES);
}

static bool leads_to_contexts(const struct node *node, bool behind_tee)
{
	const struct pipeline *pipeline = node->pipeline;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		const struct edge *edge = &pipeline->edges[i];
		const struct node *next = edge->consumer;
		if (!node_feeds(node, edge))
			continue;
		if (keeps_contexts(next, behind_tee) ||
			(next->role != NODE_SINK &&
				leads_to_contexts(next, behind_tee || next->role == NODE_TEE)))
			return true;
	}
	return false;
}

/* The kind's value under its key: a bare name stands for no options. */
bool node_says_the_same(const struct node *a, const struct node *b)
{
	return a->type == b->type && value_equal(a->value, b->value) &&
	       document_same_folder(a->value->document, b->value->document);
}

static bool is_alike(const struct node *old, const struct node *next)
{
	return old->role == NODE_SOURCE && next->role == NODE_SOURCE &&
	       old->stream_count == next->stream_count && node_says_the_same(old, next);
}

/* How many sources like this one stand before it. */
static size_t rank_of(const struct pipeline *pipeline, size_t at)
{
	size_t rank = 0;
	for (size_t i = 0; i < at; i++)
		rank += is_alike(pipeline->nodes[i], pipeline->nodes[at]);
	return rank;
}

/* The place in `next` of the source like this one, with as many before it; SIZE_MAX: there is none. */
static size_t find_like(const struct pipeline *old, size_t at, const struct pipeline *next)
{
	size_t left = rank_of(old, at);
	for (size_t i = 0; i < next->node_count; i++)
		if (is_alike(old->nodes[at], next->nodes[i]) && left-- == 0)
			return i;
	return SIZE_MAX;
}

size_t change_match(const struct pipeline *old, size_t at, const struct pipeline *next)
{
	const struct node *node = old->nodes[at];
	if (node->role != NODE_SOURCE || !source_ops(node)->rest || !node->open ||
		leads_to_contexts(node, false))
		return SIZE_MAX;
	size_t match = find_like(old, at, next);
	if (match == SIZE_MAX || next->nodes[match]->open ||
		leads_to_contexts(next->nodes[match], false))
		return SIZE_MAX;
	return match;
}

/* --- resting ------------------------------------------------------------------------------------------------------- */

void engine_retire(struct pipeline *pipeline, uint64_t read_deadline)
{
	pipeline->run->watched = true;
	run_drain(pipeline->run, read_deadline);
}

void engine_rest(struct pipeline *pipeline, struct pipeline *next, uint64_t read_deadline)
{
	struct run *run = pipeline->run;
	run->watched = true;
	if (run->failed || run->draining)
		return; /* nothing of it moves, or all of it ends */
	run->resting = true;
	run->ready = true;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SOURCE && !node->ended &&
			change_match(pipeline, i, next) == SIZE_MAX)
			source_drain(node, read_deadline);
	}
}

/* False for what ends in sinks that are not there. */
static bool leads_to_working_sink(const struct node *node)
{
	const struct pipeline *pipeline = node->pipeline;
	if (node->role == NODE_SINK)
		return node->up;
	for (size_t i = 0; i < pipeline->edge_count; i++)
		if (node_feeds(node, &pipeline->edges[i]) &&
			leads_to_working_sink(pipeline->edges[i].consumer))
			return true;
	return false;
}

/* Nobody waits for a drop branch whose sink is not there. */
static bool node_is_quiet(const struct node *node)
{
	if (node->finished || (node->optional && !leads_to_working_sink(node)))
		return true;
	if (node->role == NODE_SOURCE)
		return node->ended || node->rested;
	return batch_empty(node->in) && !node->inherited &&
	       (node->role != NODE_STAGE || node->rested);
}

bool engine_is_quiet(const struct pipeline *pipeline)
{
	const struct run *run = pipeline->run;
	if (run->failed || run_is_over(run))
		return true;
	if (!run->resting || run->carried)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (!node_is_quiet(pipeline->nodes[i]))
			return false;
	return true;
}

bool engine_waits_for(const struct pipeline *pipeline, char *names, size_t size)
{
	size_t used = 0;
	names[0] = '\0';
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role != NODE_SINK || node->optional || node->finished ||
			(batch_empty(node->in) && !node->inherited) ||
			used + strlen(node->name) + 3 > size)
			continue;
		used += (size_t)snprintf(
			names + used, size - used, "%s%s", used > 0 ? ", " : "", node->name);
	}
	return used > 0;
}

bool engine_give_back(struct pipeline *pipeline)
{
	bool good = true;
	for (size_t i = 0; pipeline->run->resting && i < pipeline->node_count; i++) {
		struct node *node = pipeline->nodes[i];
		if (node->role != NODE_SOURCE || node->ended || node->drains || node->rested)
			continue;
		node->rested = source_ops(node)->rest(node, NULL);
		good &= node->rested;
	}
	return good;
}

/* --- taking over --------------------------------------------------------------------------------------------------- */

bool engine_take_over(struct pipeline *pipeline, struct faults *faults)
{
	struct run *run = pipeline->run;
	run->failed = !run_open_nodes(run, faults);
	if (!run->failed && run->engine->draining)
		run_drain(run, loop_now(run->engine->loop));
	return !run->failed;
}

bool engine_runs(const struct pipeline *pipeline)
{
	const struct run *run = pipeline->run;
	return run && !run->failed && !run->resting && !run->draining;
}

bool engine_ends(const struct pipeline *pipeline)
{
	const struct run *run = pipeline->run;
	return run && !run->failed && run->draining && !run->handed_over;
}

bool engine_counts(const struct pipeline *pipeline)
{
	return pipeline->run && !pipeline->run->handed_over;
}

/* --- adding and removing ------------------------------------------------------------------------------------------- */

bool engine_add(struct engine *engine, struct pipeline *pipeline, struct faults *faults)
{
	struct run *run = run_create(engine, pipeline);
	if (!run)
		return fault_at(faults, NULL, NULL, "%s: not enough memory", pipeline->name);
	if (run_open_memory(run, faults) && run_open_nodes(run, faults)) {
		if (engine->draining)
			run_drain(run, loop_now(engine->loop));
		return true;
	}
	bool gone = run_destroy(run, NULL);
	assert(gone);
	return false;
}

bool engine_remove(struct pipeline *pipeline, struct pipeline *heir)
{
	struct run *run = pipeline->run;
	if (run_destroy(run, heir))
		return true;
	run->stuck = true;
	run->watched = false;
	return false;
}
