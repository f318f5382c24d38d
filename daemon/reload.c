/* Reloading. */
#include "daemon/reload.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FAULT_TEXT = 200 };

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
	log_say(reload->log, result == RELOAD_REFUSED ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s",
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

/* The first that is no warning, and where it is. */
static void first_fault(const struct faults *faults, char text[FAULT_TEXT])
{
	size_t i = 0;

	while (i < faults->count && faults->items[i].warning)
		i++;
	if (i == faults->count)
		snprintf(text, FAULT_TEXT, "not enough memory");
	else if (faults->items[i].file)
		snprintf(text, FAULT_TEXT, "%s:%u:%u: %s", faults->items[i].file,
			faults->items[i].line, faults->items[i].column, faults->items[i].message);
	else
		snprintf(text, FAULT_TEXT, "%s", faults->items[i].message);
}

static bool refuse(struct reload *reload, struct generation *next)
{
	struct configuration *configuration = &next->configuration;
	char first[FAULT_TEXT];

	configuration_report(configuration, reload->log); /* in order */
	first_fault(&configuration->faults, first);
	keep_faults(reload, &configuration->faults);
	conclude(reload, RELOAD_REFUSED, "the reload was refused, nothing has changed: %s", first);
	generation_discard(next);
	return false;
}

/* --- orders -------------------------------------------------------------------------------------------------------- */

/* Plans again what was read, within what memory there is, for the workers that there are. */
static bool plan_again(
	struct reload *reload, struct generation *next, const struct document *document)
{
	const struct plan *was = running_plan(reload);
	struct configuration *configuration = &next->configuration;

	plan_destroy(configuration->plan);
	faults_close(&configuration->faults);
	configuration->faults = (struct faults){ 0 };
	configuration->plan = changes_plan(was, document, &configuration->faults);
	if (!configuration->plan)
		return false;
	reload->workers_wanted = configuration->plan->workers;
	configuration->plan->workers = was->workers;
	return true;
}

static void give_orders(struct reload *reload, bool adding)
{
	assert(reload->changes.orders);
	for (size_t i = 0; i < reload->changes.count; i++) {
		struct order *order = &reload->changes.orders[i];
		if ((order->kind == ORDER_ADD) != adding)
			continue;
		uint32_t worker = order->old ? order->old->worker
					     : workers_idlest(reload->workers,
						       reload->next->configuration.plan);
		if (order->next)
			order->next->worker = worker;
		order->given = true;
		order->patience = running_plan(reload)->service.drain;
		workers_order(reload->workers, worker, order);
	}
}

/* --- going on ------------------------------------------------------------------------------------------------------ */

/* None that was given waits any more. */
static bool all_answered(const struct reload *reload)
{
	assert(reload->changes.orders);
	for (size_t i = 0; i < reload->changes.count; i++) {
		struct order *order = &reload->changes.orders[i];
		if (order->given && atomic_load(&order->state) == ORDER_WAITS)
			return false;
	}
	return true;
}

static struct order *order_that(const struct reload *reload, enum order_state state)
{
	for (size_t i = 0; i < reload->changes.count; i++)
		if (atomic_load(&reload->changes.orders[i].state) == state)
			return &reload->changes.orders[i];
	return NULL;
}

/* What a pipeline without an heir has come to counts at the end of the process. */
static void remember(struct reload *reload, const struct order *order)
{
	for (size_t i = 0; order->kind == ORDER_RETIRE && i < order->old->node_count; i++) {
		reload->bad_data |= node_lost_bad_data(order->old->nodes[i]);
		reload->unread |= node_left_unread(order->old->nodes[i]);
	}
}

/* What was not written in time. */
static struct undelivered undelivered_by(const struct changes *changes)
{
	struct undelivered left = { 0 };

	assert(changes->orders);
	for (size_t i = 0; i < changes->count; i++)
		if (changes->orders[i].removed)
			undelivered_add(&left, changes->orders[i].old);
	return left;
}

static void say_undelivered(const struct reload *reload)
{
	const struct undelivered left = undelivered_by(&reload->changes);

	if (undelivered_any(&left))
		undelivered_say(
			&left, reload->log, "the reload waited for sinks as long as it may");
}

/* The one that was on its way in is the one that runs. */
static void change_over(struct reload *reload)
{
	struct generation *next = reload->next;

	for (size_t i = 0; i < reload->changes.count; i++)
		remember(reload, &reload->changes.orders[i]);
	changes_close(&reload->changes);
	next->older = *reload->latest;
	*reload->latest = next;
	reload->next = NULL;
}

/* Its orders are carried out, whatever came of them: what they have cost is told. */
static void settle_in(struct reload *reload)
{
	say_undelivered(reload);
	change_over(reload);
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

static void say_workers(const struct reload *reload)
{
	const uint32_t workers = reload->next->configuration.plan->workers;

	if (reload->workers_wanted > workers)
		log_say(reload->log, LOG_LEVEL_WARNING,
			"the pipelines run on %" PRIu32 " worker%s, not the %" PRIu32
			" they could use, until the daemon is restarted",
			workers, workers == 1 ? "" : "s", reload->workers_wanted);
}

static void say_done(struct reload *reload)
{
	const struct change_counts counts = changes_count(&reload->changes);
	const struct undelivered left = undelivered_by(&reload->changes);

	reload->number++;
	conclude(reload, RELOAD_DONE,
		"configuration %" PRIu64
		" is running; pipelines: %zu changed, %zu added, %zu removed, "
		"%zu untouched%s",
		reload->number, counts.changed, counts.added, counts.removed, counts.untouched,
		undelivered_any(&left) ? "; records were lost that could not be written in time"
				       : "");
	say_threads(reload);
	say_workers(reload);
}

static bool begin_orders(struct reload *reload, struct generation *next)
{
	reload->adding = false;
	if (!changes_find(&reload->changes, running_plan(reload), next->configuration.plan))
		return false;
	reload->next = next;
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
		if (plan_again(reload, again, &again->of->configuration.document) &&
			begin_orders(reload, again))
			return;
		generation_discard(again);
	}
	reload->broken = true;
}

static void fail(struct reload *reload)
{
	struct order *order = order_that(reload, ORDER_FAILED);
	struct generation *old = *reload->latest;
	char why[FAULT_TEXT];

	first_fault(&order->faults, why);
	if (!reload->putting_back)
		keep_faults(reload, &order->faults);
	changes_keep_old(&reload->changes);
	settle_in(reload);
	if (reload->putting_back) {
		log_say(reload->log, LOG_LEVEL_ERROR,
			"the configuration before cannot be put back: %s", why);
		reload->broken = true;
		return;
	}
	conclude(reload, RELOAD_REFUSED, "the reload was refused, what ran before is put back: %s",
		why);
	put_back(reload, old);
}

/* What could not be given up any more runs until it has drained, as all else does. */
static void give_up(struct reload *reload)
{
	struct generation *next = reload->next;

	if (!reload->putting_back)
		conclude(reload, RELOAD_ABANDONED, "the reload was given up: the daemon is ending");
	if (changes_begun(&reload->changes)) {
		changes_keep_old(&reload->changes);
		settle_in(reload);
		return;
	}
	changes_close(&reload->changes);
	reload->next = NULL;
	generation_discard(next);
}

/* --- for the owner ------------------------------------------------------------------------------------------------- */

bool reload_begin(struct reload *reload)
{
	struct generation *next = generation_read(reload->path);

	forget_faults(reload);
	if (!next) {
		conclude(reload, RELOAD_REFUSED, "the reload was refused: not enough memory");
		return false;
	}
	if (!next->configuration.plan ||
		!changes_allowed(running_plan(reload), &next->configuration.document,
			&next->configuration.faults) ||
		!plan_again(reload, next, &next->configuration.document))
		return refuse(reload, next);
	configuration_report(&next->configuration, reload->log);
	if (begin_orders(reload, next))
		return true;
	return refuse(reload, next);
}

static void complete(struct reload *reload)
{
	if (reload->putting_back)
		log_say(reload->log, LOG_LEVEL_INFO, "the configuration before runs again");
	else
		say_done(reload);
	settle_in(reload);
}

bool reload_step(struct reload *reload)
{
	if (reload->broken)
		return true;
	if (!all_answered(reload))
		return false;
	const bool failed = order_that(reload, ORDER_FAILED) != NULL;

	reload->abandoned |= order_that(reload, ORDER_ABANDONED) != NULL;
	if (!failed && !reload->abandoned && !reload->adding) {
		reload->adding = true;
		give_orders(reload, true);
		if (!all_answered(reload))
			return false;
	}
	if (failed)
		fail(reload);
	else if (reload->abandoned)
		give_up(reload);
	else
		complete(reload);
	if (reload_is_under_way(reload))
		return false;
	reload->putting_back = false;
	return true;
}

void reload_abandon(struct reload *reload)
{
	reload->abandoned = true;
}

const char *reload_waits_for(const struct reload *reload)
{
	for (size_t i = 0; reload->next && i < reload->changes.count; i++) {
		struct order *order = &reload->changes.orders[i];
		if (atomic_load(&order->waits_long) && atomic_load(&order->state) == ORDER_WAITS)
			return order->waits_for;
	}
	return NULL;
}

void reload_refuse(struct reload *reload, const char *why)
{
	forget_faults(reload);
	conclude(reload, RELOAD_REFUSED, "%s", why);
}

/* What is in neither plan counts all the same. */
static void remember_cut_short(struct reload *reload)
{
	for (size_t i = 0; i < reload->changes.count; i++) {
		const struct order *order = &reload->changes.orders[i];
		if (order->handed_over || (order->given && order->kind == ORDER_RETIRE))
			undelivered_add(&reload->left, order->old);
	}
}

void reload_close(struct reload *reload)
{
	forget_faults(reload);
	if (!reload->next)
		return;
	remember_cut_short(reload);
	changes_keep_old(&reload->changes);
	change_over(reload);
}

bool reload_is_due(const struct reload *reload)
{
	return reload->next && all_answered(reload);
}
