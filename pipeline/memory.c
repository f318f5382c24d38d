/* Memory: what is asked for is divided into pools, or refused with what would suffice.
 *
 *     service.memory ┬ 1/8 kept for a reload
 *                    └ 7/8 ┬ each pipeline without memory of its own: an equal share, a pool of P buffers
 *     less before: the pipelines' own memory, and the charges of those that share
 *
 *     P ≥ max(32, 4 · (⌈max_record / buffer⌉ + 2) · max(splits, drop branches)) + 2 · (sources − 1) + 8 · (drop branches)
 *
 * so that the share of each in its quarter has room for the longest record.
 *
 * A pipeline with memory of its own pays its charges from that and has the rest as its pool. Where no max_record is set
 * it is 1 MiB, or the largest whole number of buffers that fits: the nodes are asked again for each size that is tried,
 * since their charges depend on it.
 */

#include "pipeline/draft.h"

#include <assert.h>
#include <stdio.h>

#include "config/arena.h"
#include "config/units.h"
#include "pipeline/holds.h"

enum {
	USUAL_MAX_RECORD = 1 << 20,
	LEAST_BUFFERS = 32,
	DROP_ROOM = 1024, /* views: a drop branch keeps what it can while its sink is away */
	SINK_ROOM =
		512 /* views in front of a sink: sparse survivors must add up to a write worth its cost; it pins no
			     more buffers than any other edge */
};

/* Pipelines that share one memory. */
struct group {
	const struct plan *plan;
	struct draft **drafts;
	size_t count;
	uint64_t memory; /* that they share */
	bool own;        /* it is one pipeline's own */
	unsigned
		kept; /* this part of what pools could have is left free: 8 is an eighth; 0: none */
};

static uint64_t divide_up(uint64_t amount, uint64_t by)
{
	return amount / by + (amount % by != 0);
}

/* --- what a pipeline needs ---------------------------------------------------------------------------------------- */

static uint64_t largest_record(const struct draft *draft)
{
	uint64_t largest = 0;
	for (size_t i = 0; i < draft->pipeline->edge_count; i++) {
		const struct shape *shape = &draft->carried[i].shape;
		if (shape->kind != FLOW_FRAMES && shape->max_record > largest)
			largest = shape->max_record;
	}
	return largest;
}

/* Room for two records of the most pieces, so that one can enter while the other leaves. */
static void make_room(struct draft *draft)
{
	struct pipeline *pipeline = draft->pipeline;
	uint64_t pieces = divide_up(largest_record(draft), pipeline->buffer_size) + 2;
	if (pieces < LEAST_BUFFERS)
		pieces = LEAST_BUFFERS;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		uint64_t most = draft->carried[i].shape.most_views;
		uint64_t room = 2 * (most > pieces ? most : pieces);
		struct edge *edge = &pipeline->edges[i];
		const struct node *consumer = edge->consumer;
		uint32_t pins = room < VIEW_STREAM ? (uint32_t)room : (uint32_t)VIEW_STREAM;
		edge->room = pins;
		if (consumer && consumer->optional && pins < DROP_ROOM)
			edge->room = DROP_ROOM;
		else if (consumer && consumer->role == NODE_SINK && edge->kind == FLOW_RECORDS &&
			 pins < SINK_ROOM) {
			edge->room = SINK_ROOM;
			edge->pin_limit = pins / 2;
		}
	}
}

static uint64_t charges_of(const struct pipeline *pipeline)
{
	uint64_t charges = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		charges += pipeline->nodes[i]->charge;
	for (size_t i = 0; i < pipeline->edge_count; i++)
		charges += batch_cost(pipeline->edges[i].room);
	return charges;
}

static uint32_t count_sources(const struct pipeline *pipeline)
{
	uint32_t count = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		count += pipeline->nodes[i]->role == NODE_SOURCE;
	return count;
}

static uint32_t count_splits(const struct pipeline *pipeline)
{
	uint32_t count = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		count += shapes_is_split(pipeline->nodes[i]);
	return count;
}

static uint32_t count_drops(const struct pipeline *pipeline)
{
	uint32_t count = 0;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		if (pipeline->nodes[i]->role != NODE_TEE)
			continue;
		const struct tee *tee = pipeline->nodes[i]->state;
		for (size_t k = 0; k < tee->count; k++)
			count += tee->branches[k].drop;
	}
	return count;
}

static uint64_t least_buffers(const struct draft *draft)
{
	const struct pipeline *pipeline = draft->pipeline;
	uint64_t splits = count_splits(pipeline), drops = count_drops(pipeline);
	uint64_t sharers = splits > drops ? splits : drops;
	uint64_t pieces = divide_up(largest_record(draft), pipeline->buffer_size) + 2;
	uint64_t least = 4 * pieces * (sharers > 0 ? sharers : 1);
	if (least < LEAST_BUFFERS)
		least = LEAST_BUFFERS;
	uint64_t sources = count_sources(pipeline);
	return least + (sources > 1 ? 2 * (sources - 1) : 0) + 8 * drops;
}

/* --- what a group has --------------------------------------------------------------------------------------------- */

static uint64_t group_charges(const struct group *group)
{
	uint64_t charges = 0;
	for (size_t i = 0; i < group->count; i++)
		charges += charges_of(group->drafts[i]->pipeline);
	return charges;
}

/* The buffers that each pipeline of the group gets. */
static uint64_t buffers_each(const struct group *group)
{
	uint64_t charges = group_charges(group);
	if (charges >= group->memory)
		return 0;
	uint64_t share = group->memory - charges;
	if (group->kept > 0)
		share -= divide_up(share, group->kept);
	uint64_t buffers =
		share / group->count / pool_buffer_cost((uint32_t)group->plan->service.buffer);
	return buffers < UINT32_MAX ? buffers : UINT32_MAX;
}

/* The buffers that each must get, since they share evenly. `draft` gets the one that needs them. */
static uint64_t buffers_needed(const struct group *group, const struct draft **draft)
{
	uint64_t most = 0;
	for (size_t i = 0; i < group->count; i++) {
		uint64_t least = least_buffers(group->drafts[i]);
		if (least <= most)
			continue;
		most = least;
		*draft = group->drafts[i];
	}
	return most;
}

static uint32_t part(uint64_t buffers, uint64_t of, uint64_t among)
{
	uint64_t share = buffers / of / among;
	return share > 0 ? (uint32_t)share : 1;
}

/* Unfinished records may pin a quarter of the pool. */
static void set_pin_quotas(struct pipeline *pipeline, uint64_t buffers)
{
	uint32_t splits = count_splits(pipeline);
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (shapes_is_split(pipeline->nodes[i]))
			pipeline->nodes[i]->pin_quota = part(buffers, 4, splits);
}

/* Walks the group as if each pool had this many buffers: a split's charge depends on its quota. */
static bool walk_group(const struct group *group, uint64_t buffers)
{
	bool good = true;
	for (size_t i = 0; i < group->count; i++) {
		struct faults none = { 0 };
		set_pin_quotas(group->drafts[i]->pipeline, buffers);
		good = shapes_walk(group->drafts[i], &none) && good;
		make_room(group->drafts[i]);
		faults_close(&none);
	}
	return good;
}

/* Walks the group with a max_record of this many buffers where none is set. True if all fit. */
static bool try_pieces(const struct group *group, uint64_t pieces)
{
	const struct draft *largest;
	uint64_t size = pieces * group->plan->service.buffer;
	for (size_t i = 0; i < group->count; i++)
		group->drafts[i]->pipeline->max_record =
			size < USUAL_MAX_RECORD ? size : USUAL_MAX_RECORD;
	if (!walk_group(group, LEAST_BUFFERS))
		return false;
	uint64_t needed = buffers_needed(group, &largest);
	return walk_group(group, needed) && buffers_each(group) >= needed;
}

/* Finds the most pieces that fit, and leaves the group walked with it. */
static bool settle(const struct group *group)
{
	uint64_t most = divide_up(USUAL_MAX_RECORD, group->plan->service.buffer);
	uint64_t least = 1;
	if (try_pieces(group, most))
		return true;
	if (!try_pieces(group, least))
		return false;
	while (most - least > 1) {
		uint64_t middle = least + (most - least) / 2;
		if (try_pieces(group, middle))
			least = middle;
		else
			most = middle;
	}
	return try_pieces(group, least);
}

/* --- refusing ----------------------------------------------------------------------------------------------------- */

/* What the whole memory must be for what the group needs as it was walked. */
static uint64_t memory_needed(const struct group *group, uint64_t buffers, uint64_t apart)
{
	uint64_t pools = buffers * pool_buffer_cost((uint32_t)group->plan->service.buffer);
	if (!group->own)
		pools *= group->count;
	if (group->kept > 0)
		pools = divide_up(pools * group->kept, group->kept - 1) + group->kept;
	return pools + group_charges(group) + apart;
}

/* Up to a number that a person would write: at most an eighth more. */
static const char *natural(uint64_t bytes, char text[32])
{
	uint64_t step = 1;
	while (step <= bytes / 16)
		step *= 2;
	return size_format(divide_up(bytes, step) * step, text);
}

static const struct value *service_memory(const struct plan *plan)
{
	return value_member(value_member(plan->document->root, "service"), "memory");
}

/* `apart`: what the pipelines have of their own, beside the group's memory. */
static bool fault_memory(const struct group *group, uint64_t apart, struct faults *faults)
{
	const struct draft *largest = group->drafts[0];
	uint64_t buffers = buffers_needed(group, &largest);
	const struct pipeline *pipeline = largest->pipeline;
	char needed[32], size[32], record[32], records[64] = "";
	natural(memory_needed(group, buffers, apart), needed);
	size_format(pipeline->buffer_size, size);
	if (largest_record(largest) > 0)
		snprintf(records, sizeof(records), " for records of up to %s",
			size_format(largest_record(largest), record));
	const struct value *place =
		group->own ? value_member(pipeline->value, "memory") : service_memory(group->plan);
	const char *remedy = arena_format(group->plan->document->arena,
		place ? "write \"%s\"" : "write \"service\": { \"memory\": \"%s\" }", needed);
	return fault_at(faults, place ? place : pipeline->value, remedy,
		"memory does not suffice: \"%s\" needs %llu buffers of %s%s, and gets %llu",
		pipeline->name, (unsigned long long)buffers, size, records,
		(unsigned long long)buffers_each(group));
}

static bool fault_own(const struct plan *plan, uint64_t apart, struct faults *faults)
{
	char own[32], memory[32];
	const struct value *place = service_memory(plan);
	size_format(apart, own);
	size_format(plan->service.memory, memory);
	return fault_at(faults, place ? place : value_member(plan->document->root, "pipelines"),
		arena_format(plan->document->arena,
			place ? "write \"%s\"" : "write \"service\": { \"memory\": \"%s\" }", own),
		"the pipelines' own memory is %s, and the service's is %s", own, memory);
}

/* --- dividing ----------------------------------------------------------------------------------------------------- */

static void set_drop_limits(struct pipeline *pipeline, uint32_t drops)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		if (pipeline->nodes[i]->role != NODE_TEE)
			continue;
		struct tee *tee = pipeline->nodes[i]->state;
		for (size_t k = 0; k < tee->count; k++)
			if (tee->branches[k].drop)
				tee->branches[k].pin_limit = part(pipeline->buffers, 4, drops);
	}
}

/* An eighth of the pool for what is read ahead; in two halves where a stage makes bytes of bytes: one for what it takes,
 * one for what it gives. */
static uint64_t pin_part(const struct edge *edge)
{
	const struct node *consumer = edge->consumer;
	bool gives_bytes = consumer && consumer->role == NODE_STAGE && consumer->out &&
			   edge_of(consumer->out)->kind == FLOW_BYTES;
	return gives_bytes || edge->producer->role == NODE_STAGE ? 16 : 8;
}

/* What is under read, in buffers of which no view is put yet, and what lies read in front of the first stage are an
 * eighth each. */
static void set_read_quotas(struct pipeline *pipeline, uint32_t sources)
{
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == NODE_SOURCE)
			pipeline->nodes[i]->pin_quota = part(pipeline->buffers, 8, sources);
}

/* What sources read ahead, unfinished records and drop branches may each pin a quarter of the pool: the last quarter is
 * for packing, which lets go of the others. */
static void set_quotas(struct pipeline *pipeline)
{
	uint32_t sources = count_sources(pipeline);
	assert(sources > 0);
	set_pin_quotas(pipeline, pipeline->buffers);
	set_read_quotas(pipeline, sources);
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		struct edge *edge = &pipeline->edges[i];
		if (edge->kind != FLOW_BYTES || !edge->producer || edge->producer->role == NODE_TEE)
			continue;
		uint64_t share =
			(uint64_t)pipeline->buffers * edge->producers / sources / pin_part(edge);
		edge->pin_limit = share > 2 ? (uint32_t)share : 2;
	}
	set_drop_limits(pipeline, count_drops(pipeline));
}

/* The pools' size. With the quotas of all that is free more is charged, so that is taken once more; less than what is
 * needed it never comes to, but for rounding. */
static uint32_t settle_buffers(const struct group *group)
{
	const struct draft *largest;
	uint64_t needed = buffers_needed(group, &largest);
	walk_group(group, buffers_each(group));
	uint64_t buffers = buffers_each(group);
	if (buffers < needed)
		buffers = needed;
	walk_group(group, buffers);
	return (uint32_t)buffers;
}

static void finish_pipeline(struct pipeline *pipeline, uint32_t buffers)
{
	pipeline->buffers = buffers;
	pipeline->charges = charges_of(pipeline);
	set_quotas(pipeline);
}

static bool divide_group(struct group *group, uint64_t apart, struct faults *faults)
{
	if (group->count == 0)
		return true;
	if (!settle(group))
		return fault_memory(group, apart, faults);
	uint32_t buffers = settle_buffers(group);
	for (size_t i = 0; i < group->count; i++)
		finish_pipeline(group->drafts[i]->pipeline, buffers);
	return true;
}

/* --- dividing while others run ------------------------------------------------------------------------------------- */

static uint64_t cost_of(const struct group *group, uint64_t buffers)
{
	return buffers * pool_buffer_cost((uint32_t)group->plan->service.buffer) +
	       group_charges(group);
}

/* Down to a number that a person would write. */
static const char *natural_below(uint64_t bytes, char text[32])
{
	uint64_t step = 1;
	while (step <= bytes / 16)
		step *= 2;
	return size_format(bytes / step * step, text);
}

static bool fault_within(
	const struct draft *draft, uint64_t needed, uint64_t available, struct faults *faults)
{
	static const char remedy[] =
		"restart the daemon, which then divides its memory anew; or leave it more";
	char need[32], there[32];
	const struct pipeline *pipeline = draft->pipeline;
	const struct value *own = value_member(pipeline->value, "memory");
	struct faults again = { 0 }; /* shards are alike */
	fault_at(pipeline->shard == 0 ? faults : &again, own ? own : pipeline->value, remedy,
		"memory does not suffice: \"%s\" needs %s%s, and %s is free for it", pipeline->name,
		natural(needed, need), pipeline->shards > 1 ? " a shard" : "",
		natural_below(available, there));
	faults_close(&again);
	return false;
}

/* The pipeline is done: what it takes beyond what it had is no longer free. */
static void take_spare(const struct draft *draft, uint64_t taken, uint64_t *spare)
{
	*spare = *spare + draft->budget.memory - taken;
}

/* One that names its memory. */
static bool divide_named(
	struct plan *plan, struct draft *draft, uint64_t *spare, struct faults *faults)
{
	const uint64_t memory = draft->pipeline->memory, available = draft->budget.memory + *spare;
	struct group own = { plan, &draft, 1, memory, true, 0 };
	if (!draft->budget.fixed && memory > available)
		return fault_within(draft, memory, available, faults);
	if (!divide_group(&own, 0, faults))
		return false;
	if (!draft->budget.fixed)
		take_spare(draft, memory, spare);
	return true;
}

/* The pool of one that takes another's place: all that it had, if records may be as large as they were; else no more
 * than it needs, out of what is free as well. 0: not even that is there. */
static uint32_t settle_replacing(struct group *group, const struct budget *had, uint64_t spare)
{
	const struct draft *largest;
	const uint64_t pieces = divide_up(had->max_record, group->plan->service.buffer);
	if (try_pieces(group, pieces))
		return settle_buffers(group);
	group->memory += spare;
	return try_pieces(group, pieces) || settle(group)
		       ? (uint32_t)buffers_needed(group, &largest)
		       : 0;
}

static bool divide_replacing(
	struct plan *plan, struct draft *draft, uint64_t *spare, struct faults *faults)
{
	const struct draft *largest;
	struct group group = { plan, &draft, 1, draft->budget.memory, true, 0 };
	const uint32_t buffers = settle_replacing(&group, &draft->budget, *spare);
	if (buffers == 0)
		return fault_within(draft, cost_of(&group, buffers_needed(&group, &largest)),
			group.memory, faults);
	finish_pipeline(draft->pipeline, buffers);
	take_spare(draft, cost_of(&group, buffers), spare);
	return true;
}

/* Those that are new: half of what they do not need is left for the next reload. */
static bool divide_added(struct group *group, struct faults *faults)
{
	const uint64_t usual = divide_up(USUAL_MAX_RECORD, group->plan->service.buffer);
	const struct draft *largest = NULL;
	if (group->count == 0)
		return true;
	if (!try_pieces(group, usual))
		group->kept = 0;
	if (settle(group))
		return divide_group(group, 0, faults);
	uint64_t needed = cost_of(group, buffers_needed(group, &largest) * group->count);
	return fault_within(
		largest, divide_up(needed, group->count), group->memory / group->count, faults);
}

static bool divide_within(struct plan *plan, struct draft *drafts, struct faults *faults)
{
	struct draft **added =
		document_allocate(plan->document, (plan->count + 1) * sizeof(*added));
	struct group group = { .plan = plan, .drafts = added, .kept = 2 };
	uint64_t spare = plan->spare;
	bool good = true;
	for (size_t i = 0; i < plan->count; i++) {
		struct draft *draft = &drafts[i];
		if (draft->own_memory || draft->budget.fixed)
			good = divide_named(plan, draft, &spare, faults) && good;
		else if (draft->budget.memory > 0)
			good = divide_replacing(plan, draft, &spare, faults) && good;
		else
			added[group.count++] = draft;
	}
	group.memory = spare;
	return divide_added(&group, faults) && good;
}

bool memory_divide(struct plan *plan, struct draft *drafts, struct faults *faults)
{
	struct draft **sharing =
		document_allocate(plan->document, (plan->count + 1) * sizeof(*sharing));
	struct group group = { .plan = plan, .drafts = sharing, .kept = 8 };
	uint64_t apart = 0;
	bool good = true;
	if (plan->within)
		return divide_within(plan, drafts, faults);
	for (size_t i = 0; i < plan->count; i++) {
		struct draft *draft = &drafts[i];
		struct group own = { plan, &draft, 1, draft->pipeline->memory, true, 0 };
		apart += own.memory;
		if (own.memory == 0)
			sharing[group.count++] = draft;
		else
			good = divide_group(&own, 0, faults) && good;
	}
	if (apart > plan->service.memory && group.count == 0)
		return fault_own(plan, apart, faults);
	group.memory = apart < plan->service.memory ? plan->service.memory - apart : 0;
	return divide_group(&group, apart, faults) && good;
}
