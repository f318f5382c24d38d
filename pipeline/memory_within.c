/* Memory while others run: what goes on keeps what it has, and the rest is divided among what is new or needs more.
 *
 *     untouched     what it has
 *     changed       what it had; if that does not do, what it needs, out of what is free
 *     new           what it needs, and its share of half of what is free then
 */

#include "pipeline/memory.h"

#include "config/arena.h"
#include "config/units.h"

static uint64_t cost_of(const struct group *group, uint64_t buffers)
{
	return buffers * pool_buffer_cost((uint32_t)group->plan->service.buffer) +
	       memory_charges(group);
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
		memory_natural(needed, need), pipeline->shards > 1 ? " a shard" : "",
		natural_below(available, there));
	faults_close(&again);
	return false;
}

/* The pipeline is done: what it takes beyond what it had is no longer free. */
static void take_spare(const struct draft *draft, uint64_t taken, uint64_t *spare)
{
	const uint64_t available = *spare + draft->budget.memory;
	*spare = available > taken ? available - taken : 0;
}

/* One that names its memory. */
static bool divide_named(
	struct plan *plan, struct draft *draft, uint64_t *spare, struct faults *faults)
{
	const uint64_t memory = draft->pipeline->memory, available = draft->budget.memory + *spare;
	struct group own = { plan, &draft, 1, memory, true, 0 };
	if (!draft->budget.fixed && memory > available)
		return fault_within(draft, memory, available, faults);
	if (!memory_divide_group(&own, 0, faults))
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
	const uint64_t pieces = memory_divide_up(had->max_record, group->plan->service.buffer);
	if (memory_try(group, pieces))
		return memory_settle_buffers(group);
	group->memory += spare;
	return memory_try(group, pieces) || memory_settle(group)
		       ? (uint32_t)memory_buffers_needed(group, &largest)
		       : 0;
}

static bool divide_replacing(
	struct plan *plan, struct draft *draft, uint64_t *spare, struct faults *faults)
{
	const struct draft *largest;
	struct group group = { plan, &draft, 1, draft->budget.memory, true, 0 };
	const uint32_t buffers = settle_replacing(&group, &draft->budget, *spare);
	if (buffers == 0)
		return fault_within(draft, cost_of(&group, memory_buffers_needed(&group, &largest)),
			group.memory, faults);
	memory_finish(draft->pipeline, buffers);
	take_spare(draft, cost_of(&group, buffers), spare);
	return true;
}

/* Those that are new: half of what they do not need is left for the next reload. */
static bool divide_added(struct group *group, struct faults *faults)
{
	const uint64_t usual = memory_divide_up(USUAL_MAX_RECORD, group->plan->service.buffer);
	const struct draft *largest = NULL;
	if (group->count == 0)
		return true;
	if (!memory_try(group, usual))
		group->kept = 0;
	if (memory_settle(group))
		return memory_divide_group(group, 0, faults);
	uint64_t needed = cost_of(group, memory_buffers_needed(group, &largest) * group->count);
	return fault_within(largest, memory_divide_up(needed, group->count),
		group->memory / group->count, faults);
}

bool memory_divide_within(struct plan *plan, struct draft *drafts, struct faults *faults)
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
