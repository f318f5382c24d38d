/* Changes. */
#include "daemon/changes.h"

#include "config/include.h"
#include "pipeline/shards.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- what is allowed ----------------------------------------------------------------------------------------------- */

static void fault_restart(const struct value *root, const char *key, struct faults *faults)
{
	const struct value *value = value_member(value_member(root, "service"), key);

	fault_at(faults, value ? value : root, "restart the daemon",
		"service.%s cannot change while it runs", key);
}

bool changes_allowed(const struct plan *was, const struct document *document, struct faults *faults)
{
	static const char *const fixed[] = { "memory", "buffer", "workers", "io", "admin" };
	const struct value *before = value_member(was->document->root, "service");
	const struct value *now = value_member(document->root, "service");
	bool good = true;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		if (value_equal(value_member(before, fixed[i]), value_member(now, fixed[i])))
			continue;
		fault_restart(document->root, fixed[i], faults);
		good = false;
	}
	return good;
}

/* --- what is the same ---------------------------------------------------------------------------------------------- */

static struct pipeline *find(const struct plan *plan, const char *name, uint32_t shard)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == shard &&
			strcmp(plan->pipelines[i]->name, name) == 0)
			return plan->pipelines[i];
	return NULL;
}

/* One that was opened, whether it runs or waits to be replaced. */
static struct pipeline *find_open(const struct plan *plan, const char *name, uint32_t shard)
{
	struct pipeline *found = find(plan, name, shard);

	return found && found->run ? found : NULL;
}

/* Where neither sources, stages nor sinks differ it is the same pipeline, and goes on if it runs. */
static bool goes_on(const struct pipeline *old, const struct value *value)
{
	return engine_runs(old) && value_equal(old->value, value) &&
	       document_same_folder(old->value->document, value->document);
}

/* --- memory -------------------------------------------------------------------------------------------------------- */

static uint64_t memory_of(const struct pipeline *pipeline)
{
	if (value_member(pipeline->value, "memory"))
		return pipeline->memory;
	return pipeline->buffers * pool_buffer_cost(pipeline->buffer_size) + pipeline->charges;
}

static struct budget budget_of(const struct pipeline *old, const struct value *value)
{
	return (struct budget){ .pipeline = value->key,
		.memory = memory_of(old),
		.allowance = old->allowance,
		.max_record = old->max_record,
		.fixed = goes_on(old, value) };
}

/* Those that go on have what they have; for new ones nodes may ask for an even share of what is left. */
static struct budget *make_budgets(
	const struct plan *was, const struct value *pipelines, size_t *count, uint64_t *spare)
{
	struct budget *budgets = calloc(value_count(pipelines) + 1, sizeof(*budgets));
	size_t fresh = 0;

	*count = 0;
	*spare = was->service.memory;
	if (!budgets)
		return NULL;
	for (const struct value *at = pipelines->first; at; at = at->next) {
		const uint32_t shards = shards_asked_for(at);
		const struct pipeline *old = find_open(was, at->key, 0);
		struct budget *budget = &budgets[(*count)++];
		*budget = (struct budget){ .pipeline = at->key };
		fresh += shards;
		if (!old || old->shards != shards)
			continue; /* others take its place */
		*budget = budget_of(old, at);
		fresh -= shards;
		const uint64_t taken = budget->memory * shards;
		*spare -= taken < *spare ? taken : *spare;
	}
	for (size_t i = 0; i < *count && fresh > 0; i++)
		if (budgets[i].memory == 0)
			budgets[i].allowance = *spare / fresh;
	return budgets;
}

struct plan *changes_plan(
	const struct plan *was, const struct document *document, struct faults *faults)
{
	size_t count;
	uint64_t spare;
	struct budget *budgets =
		make_budgets(was, value_member(document->root, "pipelines"), &count, &spare);
	struct plan *plan =
		budgets ? plan_create_within(document, budgets, count, spare, faults) : NULL;

	free(budgets);
	return plan;
}

/* --- what is to be done -------------------------------------------------------------------------------------------- */

static void add_order(
	struct changes *changes, enum order_kind kind, struct pipeline *old, struct pipeline *next)
{
	struct order *order = &changes->orders[changes->count++];

	*order = (struct order){ .kind = kind, .old = old, .next = next };
}

/* An unchanged pipeline takes the place of its twin, which was never opened. */
static void keep(struct plan *plan, size_t at, struct pipeline *old)
{
	for (size_t k = 0; k < plan->pipelines[at]->node_count; k++)
		plan_close_node(plan->pipelines[at]->nodes[k]);
	plan->pipelines[at] = old;
}

static void order_addition(struct changes *changes, struct pipeline *next)
{
	next->worker = UINT32_MAX; /* it is not known yet */
	add_order(changes, ORDER_ADD, NULL, next);
}

static void order_next(struct changes *changes, const struct plan *was, size_t at)
{
	struct pipeline *next = changes->next->pipelines[at];
	struct pipeline *old = find_open(was, next->name, next->shard);

	if (old && old->shards == next->shards && goes_on(old, next->value))
		keep(changes->next, at, old);
	else if (old && old->shards == next->shards)
		add_order(changes, ORDER_REPLACE, old, next);
	else
		order_addition(changes, next);
}

bool changes_find(struct changes *changes, const struct plan *was, struct plan *next)
{
	*changes = (struct changes){ .next = next };
	changes->orders = calloc(was->count + next->count, sizeof(*changes->orders));
	if (!changes->orders)
		return false;
	for (size_t i = 0; i < next->count; i++)
		order_next(changes, was, i);
	for (size_t i = 0; i < was->count; i++) {
		struct pipeline *old = was->pipelines[i];
		const struct pipeline *same = find(next, old->name, old->shard);
		if (old->run && (!same || same->shards != old->shards))
			add_order(changes, ORDER_RETIRE, old, NULL);
	}
	return true;
}

/* --- what came of it ----------------------------------------------------------------------------------------------- */

bool changes_begun(const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct order *order = &changes->orders[i];
		if (order->handed_over || order->removed ||
			(order->kind == ORDER_ADD && order->next->run))
			return true;
	}
	return false;
}

void changes_keep_old(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct order *order = &changes->orders[i];
		if (order->kind == ORDER_REPLACE && !order->handed_over)
			keep(changes->next, plan_number(changes->next, order->next), order->old);
	}
}

struct change_counts changes_count(const struct changes *changes)
{
	struct change_counts counts = { .untouched = changes->next->count };

	for (size_t i = 0; i < changes->count; i++) {
		const enum order_kind kind = changes->orders[i].kind;
		counts.changed += kind == ORDER_REPLACE;
		counts.added += kind == ORDER_ADD;
		counts.removed += kind == ORDER_RETIRE;
		counts.untouched -= kind != ORDER_RETIRE;
	}
	return counts;
}

void changes_close(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		faults_close(&changes->orders[i].faults);
	free(changes->orders);
	*changes = (struct changes){ 0 };
}
