/* Reloading. */
#include "daemon/reload.h"

#include "config/include.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/shards.h"

static struct plan *running_plan(const struct reload *reload)
{
	return (*reload->latest)->configuration.plan;
}

/* --- what came of it ----------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void conclude(
	struct reload *reload, enum reload_result result, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(reload->outcome, sizeof(reload->outcome), format, list);
	va_end(list);
	reload->result = result;
	reload->at = (int64_t)time(NULL);
	reload->failures += result == RELOAD_REFUSED;
	log_say(reload->log, result == RELOAD_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "%s",
		reload->outcome);
}

/* As check prints them. */
static void keep_faults(struct reload *reload, struct faults *faults)
{
	size_t size = 0;

	faults_sort(faults);
	FILE *out = open_memstream(&reload->faults, &size);
	if (!out)
		return;
	for (size_t i = 0; i < faults->count; i++) {
		char *text = fault_text(&faults->items[i]);
		fputs(text ? text : "", out);
		free(text);
	}
	fclose(out);
}

static void forget_faults(struct reload *reload)
{
	free(reload->faults);
	reload->faults = NULL;
}

static bool refuse(struct reload *reload, struct generation *next)
{
	struct configuration *configuration = &next->configuration;
	const char *first = configuration->faults.count > 0 ? configuration->faults.items[0].message
							    : "not enough memory";

	configuration_report(configuration, reload->log);
	keep_faults(reload, &configuration->faults);
	conclude(reload, RELOAD_REFUSED, "the reload was refused, nothing has changed: %s", first);
	generation_discard(next);
	return false;
}

/* --- what is allowed ----------------------------------------------------------------------------------------------- */

static void fault_restart(struct generation *next, const char *key)
{
	const struct value *root = next->configuration.document.root;
	const struct value *service = value_member(root, "service");
	const struct value *value = value_member(service, key);

	fault_at(&next->configuration.faults, value ? value : root, "restart the daemon",
		"service.%s cannot change while it runs", key);
}

static bool keeps_service(const struct reload *reload, struct generation *next)
{
	static const char *const fixed[] = { "memory", "buffer", "workers", "io", "admin" };
	const struct value *was = value_member(running_plan(reload)->document->root, "service");
	const struct value *is = value_member(next->configuration.document.root, "service");

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (!value_equal(value_member(was, fixed[i]), value_member(is, fixed[i])))
			fault_restart(next, fixed[i]);
	return next->configuration.faults.errors == 0;
}

/* --- memory -------------------------------------------------------------------------------------------------------- */

static uint64_t cost_of(const struct pipeline *pipeline)
{
	return pipeline->buffers * pool_buffer_cost(pipeline->buffer_size) + pipeline->charges;
}

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

/* Those that go on keep what they have; new ones share what is left, shard by shard. */
static struct budget *make_budgets(
	const struct plan *was, const struct value *pipelines, size_t *count)
{
	const size_t most = value_count(pipelines);
	struct budget *budgets = calloc(most + 1, sizeof(*budgets));
	uint64_t free_memory = was->service.memory;
	size_t fresh = 0;

	*count = 0;
	if (!budgets)
		return NULL;
	for (const struct value *at = pipelines->first; at; at = at->next) {
		const uint32_t shards = shards_asked_for(at);
		const struct pipeline *old = find_open(was, at->key, 0);
		if (old && old->shards != shards)
			old = NULL; /* others take its place */
		const uint64_t cost = old ? cost_of(old) : 0;
		budgets[(*count)++] = (struct budget){ at->key, cost, old ? old->allowance : 0 };
		free_memory -= cost * shards < free_memory ? cost * shards : free_memory;
		fresh += old ? 0 : shards;
	}
	for (size_t i = 0; i < *count && fresh > 0; i++)
		if (budgets[i].memory == 0)
			budgets[i].memory = free_memory / fresh > 0 ? free_memory / fresh : 1;
	return budgets;
}

/* Plans again what was read, within what memory there is. */
static bool plan_within(
	const struct plan *was, struct generation *next, const struct document *document)
{
	struct configuration *configuration = &next->configuration;
	const struct value *pipelines = value_member(document->root, "pipelines");
	size_t count;
	struct budget *budgets = make_budgets(was, pipelines, &count);

	plan_destroy(configuration->plan);
	configuration->plan = NULL;
	faults_close(&configuration->faults);
	configuration->faults = (struct faults){ 0 };
	if (budgets)
		configuration->plan =
			plan_create_within(document, budgets, count, &configuration->faults);
	free(budgets);
	if (configuration->plan)
		configuration->plan->workers = was->workers;
	return configuration->plan != NULL;
}

/* --- what changes -------------------------------------------------------------------------------------------------- */

/* Where neither sources, stages nor sinks differ it is the same pipeline. */
static bool is_the_same(const struct pipeline *old, const struct pipeline *next)
{
	return old->shards == next->shards && value_equal(old->value, next->value) &&
	       document_same_folder(old->value->document, next->value->document);
}

static void add_order(
	struct reload *reload, enum order_kind kind, struct pipeline *old, struct pipeline *next)
{
	struct order *order = &reload->orders[reload->order_count++];

	*order = (struct order){ .kind = kind,
		.old = old,
		.next = next,
		.patience = running_plan(reload)->service.drain };
}

/* An unchanged pipeline takes the place of its twin, which was never opened. */
static void keep(struct plan *plan, size_t at, struct pipeline *old)
{
	for (size_t k = 0; k < plan->pipelines[at]->node_count; k++)
		plan_close_node(plan->pipelines[at]->nodes[k]);
	plan->pipelines[at] = old;
}

static void order_addition(struct reload *reload, struct pipeline *next)
{
	next->worker = UINT32_MAX; /* it is not known yet */
	add_order(reload, ORDER_ADD, NULL, next);
}

static void order_next(struct reload *reload, struct plan *plan, size_t at)
{
	struct pipeline *next = plan->pipelines[at];
	struct pipeline *old = find_open(running_plan(reload), next->name, next->shard);

	if (old && engine_runs(old) && is_the_same(old, next))
		keep(plan, at, old);
	else if (old && old->shards == next->shards)
		add_order(reload, ORDER_REPLACE, old, next);
	else
		order_addition(reload, next);
}

static bool make_orders(struct reload *reload)
{
	const struct plan *was = running_plan(reload);
	struct plan *plan = reload->next->configuration.plan;

	reload->order_count = 0;
	reload->adding = false;
	reload->orders = calloc(was->count + plan->count, sizeof(*reload->orders));
	if (!reload->orders)
		return false;
	for (size_t i = 0; i < plan->count; i++)
		order_next(reload, plan, i);
	for (size_t i = 0; i < was->count; i++) {
		struct pipeline *old = was->pipelines[i];
		const struct pipeline *same = find(plan, old->name, old->shard);
		if (old->run && (!same || same->shards != old->shards))
			add_order(reload, ORDER_RETIRE, old, NULL);
	}
	return true;
}

static void give_orders(struct reload *reload, bool adding)
{
	for (size_t i = 0; i < reload->order_count; i++) {
		struct order *order = &reload->orders[i];
		if ((order->kind == ORDER_ADD) != adding)
			continue;
		uint32_t worker = order->old ? order->old->worker
					     : workers_idlest(reload->workers,
						       reload->next->configuration.plan);
		if (order->next)
			order->next->worker = worker;
		order->given = true;
		workers_order(reload->workers, worker, order);
	}
}

/* --- going on ------------------------------------------------------------------------------------------------------ */

static bool all_answered(const struct reload *reload, bool adding)
{
	assert(reload->orders);
	for (size_t i = 0; i < reload->order_count; i++) {
		struct order *order = &reload->orders[i];
		if ((order->kind == ORDER_ADD) == adding &&
			atomic_load(&order->state) == ORDER_WAITS)
			return false;
	}
	return true;
}

/* None that was given waits any more. */
static bool all_given_answered(const struct reload *reload)
{
	for (size_t i = 0; i < reload->order_count; i++) {
		struct order *order = &reload->orders[i];
		if (order->given && atomic_load(&order->state) == ORDER_WAITS)
			return false;
	}
	return true;
}

static struct order *failed_order(const struct reload *reload)
{
	for (size_t i = 0; i < reload->order_count; i++)
		if (atomic_load(&reload->orders[i].state) == ORDER_FAILED)
			return &reload->orders[i];
	return NULL;
}

struct tally {
	size_t changed, added, retired, kept;
	uint64_t undelivered;
};

/* Records that were not written in time. */
static uint64_t undelivered_of(const struct order *order)
{
	uint64_t sum = 0;

	for (size_t i = 0; order->removed && i < order->old->node_count; i++)
		if (!order->old->nodes[i]->optional)
			sum += order->old->nodes[i]->account.dropped[DROP_SHUTDOWN];
	return sum;
}

/* What a pipeline without an heir has come to counts at the end of the process. */
static void remember(struct reload *reload, const struct order *order)
{
	for (size_t i = 0; order->kind == ORDER_RETIRE && i < order->old->node_count; i++) {
		reload->bad_data |= node_lost_bad_data(order->old->nodes[i]);
		reload->unread |= node_left_unread(order->old->nodes[i]);
	}
}

static struct tally count_orders(const struct reload *reload)
{
	const struct plan *plan = reload->next->configuration.plan;
	struct tally tally = { .kept = plan->count };

	for (size_t i = 0; i < reload->order_count; i++) {
		const struct order *order = &reload->orders[i];
		tally.changed += order->kind == ORDER_REPLACE;
		tally.added += order->kind == ORDER_ADD;
		tally.retired += order->kind == ORDER_RETIRE;
		tally.kept -= order->kind != ORDER_RETIRE;
		tally.undelivered += undelivered_of(order);
	}
	return tally;
}

/* Its orders are done: it is the one that runs. */
static void settle_in(struct reload *reload)
{
	struct generation *next = reload->next;

	for (size_t i = 0; i < reload->order_count; i++) {
		remember(reload, &reload->orders[i]);
		faults_close(&reload->orders[i].faults);
	}
	next->older = *reload->latest;
	*reload->latest = next;
	reload->next = NULL;
	free(reload->orders);
	reload->orders = NULL;
	reload->order_count = 0;
}

/* Of what could not even be handed over, the old one goes on; it rests, until it is replaced once more. */
static void keep_unchanged(struct reload *reload)
{
	struct plan *plan = reload->next->configuration.plan;

	for (size_t i = 0; i < reload->order_count; i++) {
		const struct order *order = &reload->orders[i];
		if (order->kind == ORDER_REPLACE && !order->handed_over)
			keep(plan, plan_number(plan, order->next), order->old);
	}
}

static void say_undelivered(const struct reload *reload, uint64_t records)
{
	if (records > 0)
		log_say(reload->log, LOG_LEVEL_ERROR, "undelivered=%" PRIu64 " rereadable=0",
			records);
}

/* Threads are made once, when the first is needed. */
static void say_threads(const struct reload *reload)
{
	const uint32_t wanted = plan_threads(reload->next->configuration.plan);

	if (wanted > reload->threads)
		log_say(reload->log, LOG_LEVEL_WARNING,
			"compress has %" PRIu32 " threads, not the %" PRIu32
			" it could use, until the daemon is restarted",
			reload->threads, wanted);
}

static void say_done(struct reload *reload)
{
	const struct tally tally = count_orders(reload);

	reload->number++;
	conclude(reload, RELOAD_DONE,
		"configuration %" PRIu64
		" is running; pipelines: %zu changed, %zu added, %zu removed, "
		"%zu untouched%s",
		reload->number, tally.changed, tally.added, tally.retired, tally.kept,
		tally.undelivered > 0 ? "; records were lost that could not be written in time"
				      : "");
	say_undelivered(reload, tally.undelivered);
	say_threads(reload);
}

static bool begin_orders(struct reload *reload, struct generation *next)
{
	reload->next = next;
	if (!make_orders(reload)) {
		reload->next = NULL;
		return false;
	}
	give_orders(reload, false);
	workers_ring(reload->workers); /* there may be none to answer */
	return true;
}

/* What could be opened of the new configuration is replaced by the old one, planned again from what was read then: files
 * may be others by now. */
static void put_back(struct reload *reload, struct generation *old)
{
	struct generation *again = calloc(1, sizeof(*again));

	reload->putting_back = true;
	if (again) {
		again->of = old->of ? old->of : old;
		if (plan_within(running_plan(reload), again, &again->of->configuration.document) &&
			begin_orders(reload, again))
			return;
		generation_discard(again);
	}
	reload->broken = true;
}

static void fail(struct reload *reload)
{
	struct order *order = failed_order(reload);
	struct generation *old = *reload->latest;
	const char *why = order->faults.count > 0 ? order->faults.items[0].message : "no memory";

	if (reload->putting_back) {
		log_say(reload->log, LOG_LEVEL_ERROR,
			"the configuration before cannot be put back: %s", why);
		reload->broken = true;
		keep_unchanged(reload);
		settle_in(reload);
		return;
	}
	conclude(reload, RELOAD_REFUSED, "the reload was refused, what ran before is put back: %s",
		why);
	keep_unchanged(reload);
	settle_in(reload);
	put_back(reload, old);
}

bool reload_begin(struct reload *reload)
{
	struct generation *next = generation_read(reload->path);

	forget_faults(reload);
	if (!next) {
		conclude(reload, RELOAD_REFUSED, "the reload was refused: not enough memory");
		return false;
	}
	if (!next->configuration.plan || !keeps_service(reload, next) ||
		!plan_within(running_plan(reload), next, &next->configuration.document))
		return refuse(reload, next);
	configuration_report(&next->configuration, reload->log);
	if (begin_orders(reload, next))
		return true;
	return refuse(reload, next);
}

bool reload_step(struct reload *reload)
{
	if (!reload->adding) {
		if (!all_answered(reload, false))
			return false;
		reload->adding = true;
		if (!failed_order(reload))
			give_orders(reload, true);
	}
	if (failed_order(reload)) {
		if (reload->broken || !all_given_answered(reload))
			return reload->broken;
		fail(reload);
		return !reload_is_under_way(reload);
	}
	if (!all_answered(reload, true))
		return false;
	if (reload->putting_back)
		log_say(reload->log, LOG_LEVEL_INFO, "the configuration before runs again");
	else
		say_done(reload);
	reload->putting_back = false;
	settle_in(reload);
	return true;
}

void reload_refuse(struct reload *reload, const char *why)
{
	forget_faults(reload);
	conclude(reload, RELOAD_REFUSED, "%s", why);
}

void reload_close(struct reload *reload)
{
	forget_faults(reload);
	if (reload->next)
		settle_in(reload);
}

bool reload_is_due(const struct reload *reload)
{
	return reload->next && all_given_answered(reload);
}
