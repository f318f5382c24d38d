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

#include "pipeline/memory.h"

#include <assert.h>
#include <stdio.h>

#include "config/arena.h"
#include "config/units.h"
#include "pipeline/holds.h"

enum {
	LEAST_BUFFERS = 32,
	DROP_ROOM = 1024, /* views: a drop branch keeps what it can while its sink is away */
	SINK_ROOM =
		512 /* views in front of a sink: sparse survivors must add up to a write worth its cost; it pins no
			     more buffers than any other edge */
};

uint64_t memory_divide_up(uint64_t amount, uint64_t by)
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
	uint64_t pieces = memory_divide_up(largest_record(draft), pipeline->buffer_size) + 2;
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
	uint64_t pieces = memory_divide_up(largest_record(draft), pipeline->buffer_size) + 2;
	uint64_t least = 4 * pieces * (sharers > 0 ? sharers : 1);
	if (least < LEAST_BUFFERS)
		least = LEAST_BUFFERS;
	uint64_t sources = count_sources(pipeline);
	return least + (sources > 1 ? 2 * (sources - 1) : 0) + 8 * drops;
}

/* --- what a group has --------------------------------------------------------------------------------------------- */

uint64_t memory_charges(const struct group *group)
{
	uint64_t charges = 0;
	for (size_t i = 0; i < group->count; i++)
		charges += charges_of(group->drafts[i]->pipeline);
	return charges;
}

/* The buffers that each pipeline of the group gets. */
static uint64_t buffers_each(const struct group *group)
{
	uint64_t charges = memory_charges(group);
	if (charges >= group->memory)
		return 0;
	uint64_t share = group->memory - charges;
	if (group->kept > 0)
		share -= memory_divide_up(share, group->kept);
	uint64_t buffers =
		share / group->count / pool_buffer_cost((uint32_t)group->plan->service.buffer);
	return buffers < UINT32_MAX ? buffers : UINT32_MAX;
}

/* The buffers that each must get, since they share evenly. `draft` gets the one that needs them. */
uint64_t memory_buffers_needed(const struct group *group, const struct draft **draft)
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
bool memory_try(const struct group *group, uint64_t pieces)
{
	const struct draft *largest;
	uint64_t size = pieces * group->plan->service.buffer;
	for (size_t i = 0; i < group->count; i++)
		group->drafts[i]->pipeline->max_record =
			size < USUAL_MAX_RECORD ? size : USUAL_MAX_RECORD;
	if (!walk_group(group, LEAST_BUFFERS))
		return false;
	uint64_t needed = memory_buffers_needed(group, &largest);
	return walk_group(group, needed) && buffers_each(group) >= needed;
}

/* Finds the most pieces that fit, and leaves the group walked with it. */
bool memory_settle(const struct group *group)
{
	uint64_t most = memory_divide_up(USUAL_MAX_RECORD, group->plan->service.buffer);
	uint64_t least = 1;
	if (memory_try(group, most))
		return true;
	if (!memory_try(group, least))
		return false;
	while (most - least > 1) {
		uint64_t middle = least + (most - least) / 2;
		if (memory_try(group, middle))
			least = middle;
		else
			most = middle;
	}
	return memory_try(group, least);
}

/* --- refusing ----------------------------------------------------------------------------------------------------- */

/* What the whole memory must be for what the group needs as it was walked. */
static uint64_t memory_needed(const struct group *group, uint64_t buffers, uint64_t apart)
{
	uint64_t pools = buffers * pool_buffer_cost((uint32_t)group->plan->service.buffer);
	if (!group->own)
		pools *= group->count;
	if (group->kept > 0)
		pools = memory_divide_up(pools * group->kept, group->kept - 1) + group->kept;
	return pools + memory_charges(group) + apart;
}

/* Up to a number that a person would write: at most an eighth more. */
const char *memory_natural(uint64_t bytes, char text[32])
{
	uint64_t step = 1;
	while (step <= bytes / 16)
		step *= 2;
	return size_format(memory_divide_up(bytes, step) * step, text);
}

static const struct value *service_memory(const struct plan *plan)
{
	return value_member(value_member(plan->document->root, "service"), "memory");
}

/* `apart`: what the pipelines have of their own, beside the group's memory. */
static bool fault_memory(const struct group *group, uint64_t apart, struct faults *faults)
{
	const struct draft *largest = group->drafts[0];
	uint64_t buffers = memory_buffers_needed(group, &largest);
	const struct pipeline *pipeline = largest->pipeline;
	char needed[32], size[32], record[32], records[64] = "";
	memory_natural(memory_needed(group, buffers, apart), needed);
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
uint32_t memory_settle_buffers(const struct group *group)
{
	const struct draft *largest;
	uint64_t needed = memory_buffers_needed(group, &largest);
	walk_group(group, buffers_each(group));
	uint64_t buffers = buffers_each(group);
	if (buffers < needed)
		buffers = needed;
	walk_group(group, buffers);
	return (uint32_t)buffers;
}

void memory_finish(struct pipeline *pipeline, uint32_t buffers)
{
	pipeline->buffers = buffers;
	pipeline->charges = charges_of(pipeline);
	set_quotas(pipeline);
}

bool memory_divide_group(struct group *group, uint64_t apart, struct faults *faults)
{
	if (group->count == 0)
		return true;
	if (!memory_settle(group))
		return fault_memory(group, apart, faults);
	uint32_t buffers = memory_settle_buffers(group);
	for (size_t i = 0; i < group->count; i++)
		memory_finish(group->drafts[i]->pipeline, buffers);
	return true;
}

bool memory_divide(struct plan *plan, struct draft *drafts, struct faults *faults)
{
	struct draft **sharing =
		document_allocate(plan->document, (plan->count + 1) * sizeof(*sharing));
	struct group group = { .plan = plan, .drafts = sharing, .kept = 8 };
	uint64_t apart = 0;
	bool good = true;
	if (plan->within)
		return memory_divide_within(plan, drafts, faults);
	for (size_t i = 0; i < plan->count; i++) {
		struct draft *draft = &drafts[i];
		struct group own = { plan, &draft, 1, draft->pipeline->memory, true, 0 };
		apart += own.memory;
		if (own.memory == 0)
			sharing[group.count++] = draft;
		else
			good = memory_divide_group(&own, 0, faults) && good;
	}
	if (apart > plan->service.memory && group.count == 0)
		return fault_own(plan, apart, faults);
	group.memory = apart < plan->service.memory ? plan->service.memory - apart : 0;
	return memory_divide_group(&group, apart, faults) && good;
}
