/* Changes: what becomes of each pipeline, and within what memory. */
#include "daemon/changes.h"

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Another configuration of the same run. */
struct other {
	struct document document;
	struct faults faults;
	struct plan *plan;
};

static void read_other(struct other *other, const char *service, const char *pipelines)
{
	char *text = NULL;
	const int size = asprintf(&text,
		"{'service':{'admin':false,'workers':1%s},'pipelines':{%s}}", service, pipelines);

	cr_assert_gt(size, 0);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	*other = (struct other){ 0 };
	cr_assert(document_parse(
		&other->document, "other.json", text, (size_t)size, true, &other->faults));
	free(text);
}

static void close_other(struct other *other)
{
	plan_destroy(other->plan);
	faults_close(&other->faults);
	document_close(&other->document);
}

#define TO_NULL "'stages': [ { 'split': { 'max_record': '64KiB' } } ], 'to': 'null' }"
#define KEPT "'kept': { 'from': 'generate', " TO_NULL
#define CHANGED "'changed': { 'from': { 'generate': { 'rate': '%s' } }, " TO_NULL
#define GONE "'gone': { 'from': 'generate', " TO_NULL

static void open_three(struct running *running)
{
	cr_assert(running_open(running, "'admin': false, 'workers': 1, 'memory': '64MiB'",
			  KEPT ", " CHANGED ", " GONE, "1/s"),
		"%s", running->faults.count > 0 ? running->faults.items[0].message : "");
}

static const struct order *order_for(const struct changes *changes, const char *name)
{
	const struct order *found = NULL;

	for (size_t i = 0; i < changes->count; i++) {
		const struct order *order = &changes->orders[i];
		const struct pipeline *pipeline = order->old ? order->old : order->next;
		if (strcmp(pipeline->name, name) != 0)
			continue;
		cr_assert_null(found, "two orders for %s", name);
		found = order;
	}
	return found;
}

static void assert_order(
	const struct changes *changes, const char *name, enum order_kind kind, bool old, bool next)
{
	const struct order *order = order_for(changes, name);

	cr_assert(order, "no order for %s", name);
	cr_assert_eq(order->kind, kind, "%s %d", name, order->kind);
	cr_assert_eq(order->old != NULL, old);
	cr_assert_eq(order->next != NULL, next);
	cr_assert_eq(atomic_load(&order->state), ORDER_WAITS);
}

static void find_all(struct running *running)
{
	struct other other;
	struct changes changes;

	open_three(running);
	read_other(&other, ", 'memory': '64MiB'",
		KEPT ", 'changed': { 'from': { 'generate': { 'rate': '2/s' } }, " TO_NULL
		     ", 'fresh': { 'from': 'generate', " TO_NULL);
	other.plan = changes_plan(running->plan, &other.document, &other.faults);
	cr_assert(other.plan, "%s", other.faults.count > 0 ? other.faults.items[0].message : "");
	cr_assert(changes_find(&changes, running->plan, other.plan));
	cr_assert_eq(changes.count, 3);
	cr_assert_null(order_for(&changes, "kept"));
	assert_order(&changes, "changed", ORDER_REPLACE, true, true);
	assert_order(&changes, "gone", ORDER_RETIRE, true, false);
	assert_order(&changes, "fresh", ORDER_ADD, false, true);
	cr_assert_eq(other.plan->pipelines[0], running->plan->pipelines[0], "the twin stayed");
	const struct change_counts counts = changes_count(&changes);
	cr_assert_eq(counts.untouched, 1);
	cr_assert_eq(counts.changed, 1);
	cr_assert_eq(counts.added, 1);
	cr_assert_eq(counts.removed, 1);
	cr_assert_not(changes_begun(&changes));
	changes_keep_old(&changes);
	cr_assert_eq(other.plan->pipelines[1], running->plan->pipelines[1]);
	changes.orders[0].removed = true;
	cr_assert(changes_begun(&changes));
	changes_close(&changes);
	close_other(&other);
	running_close(running);
}

Test(changes, give_an_order_for_each_pipeline_that_is_not_the_same)
{
	running_on_both(find_all);
}

static void refuse_service(struct running *running)
{
	static const char *const services[] = { ", 'memory': '32MiB'",
		", 'memory': '64MiB', 'buffer': '32KiB'", ", 'memory': '64MiB', 'io': 'epoll'" };
	struct other other;

	open_three(running);
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		read_other(&other, services[i], KEPT);
		cr_assert_not(changes_allowed(running->plan, &other.document, &other.faults));
		cr_assert_eq(other.faults.errors, 1);
		cr_assert(strstr(other.faults.items[0].message, "cannot change while it runs"));
		close_other(&other);
	}
	read_other(&other, ", 'memory': '64MiB', 'drain': '1s'", KEPT);
	cr_assert(changes_allowed(running->plan, &other.document, &other.faults));
	cr_assert_eq(other.faults.count, 0);
	close_other(&other);
	running_close(running);
}

Test(changes, refuse_what_takes_a_restart)
{
	running_on_both(refuse_service);
}

static uint64_t cost_of(const struct pipeline *pipeline)
{
	return pipeline->buffers * pool_buffer_cost(pipeline->buffer_size) + pipeline->charges;
}

static uint64_t cost_of_all(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->count; i++)
		sum += cost_of(plan->pipelines[i]);
	return sum;
}

/* What is new gets no more than half of what nobody has; nobody else loses anything. */
static void share(struct running *running)
{
	struct other other;

	open_three(running);
	const uint64_t kept = cost_of(running->plan->pipelines[0]);
	read_other(&other, ", 'memory': '64MiB'",
		KEPT ", 'changed': { 'from': { 'generate': { 'rate': '2/s' } }, " TO_NULL
		     ", 'a': { 'from': 'generate', " TO_NULL
		     ", 'b': { 'from': 'generate', " TO_NULL);
	other.plan = changes_plan(running->plan, &other.document, &other.faults);
	cr_assert(other.plan, "%s", other.faults.count > 0 ? other.faults.items[0].message : "");
	cr_assert_eq(cost_of(other.plan->pipelines[0]), kept);
	cr_assert_eq(other.plan->pipelines[1]->buffers, running->plan->pipelines[1]->buffers,
		"%u %u", other.plan->pipelines[1]->buffers, running->plan->pipelines[1]->buffers);
	cr_assert_eq(other.plan->pipelines[2]->buffers, other.plan->pipelines[3]->buffers);
	cr_assert_gt(other.plan->pipelines[2]->buffers, 32);
	const uint64_t spare = other.plan->service.memory - 2 * kept,
		       left = other.plan->service.memory - cost_of_all(other.plan);
	cr_assert_geq(left, spare / 3, "%lu of %lu are left", left, spare);
	close_other(&other);
	running_close(running);
}

Test(changes, share_half_of_what_is_free_among_what_is_new)
{
	running_on_both(share);
}

/* Records of 2 MiB need 4 · 34 buffers, more than the half of 12 MiB that it has; those of 6 MiB are too large. */
static void grow(struct running *running)
{
	static const char pipelines[] =
		"'p': { 'from': 'generate', 'stages': [ { 'split': { 'max_record': '%s' } } ], "
		"'to': 'null' }, 'q': { 'from': 'generate', 'stages': [ 'split' ], 'to': 'null' }";
	struct other other;
	char text[400];

	cr_assert(running_open(
		running, "'admin': false, 'workers': 1, 'memory': '18MiB'", pipelines, "1KiB"));
	const uint32_t had = running->plan->pipelines[0]->buffers;
	snprintf(text, sizeof(text), pipelines, "2MiB");
	cr_assert_lt(had, 136);
	read_other(&other, ", 'memory': '18MiB'", text);
	other.plan = changes_plan(running->plan, &other.document, &other.faults);
	cr_assert(other.plan, "%s", other.faults.count > 0 ? other.faults.items[0].message : "");
	cr_assert_geq(other.plan->pipelines[0]->buffers, 136);
	cr_assert_leq(cost_of_all(other.plan), other.plan->service.memory);
	cr_assert_eq(other.plan->pipelines[1]->buffers, running->plan->pipelines[1]->buffers,
		"%u %u", other.plan->pipelines[1]->buffers, running->plan->pipelines[1]->buffers);
	close_other(&other);
	snprintf(text, sizeof(text), pipelines, "6MiB");
	read_other(&other, ", 'memory': '18MiB'", text);
	cr_assert_null(changes_plan(running->plan, &other.document, &other.faults));
	cr_assert(strstr(other.faults.items[0].message, "\"p\" needs ") &&
			  strstr(other.faults.items[0].message, "MiB is free for it"),
		"%s", other.faults.items[0].message);
	close_other(&other);
	running_close(running);
}

Test(changes, give_a_pipeline_that_needs_more_what_is_free)
{
	running_on_both(grow);
}
