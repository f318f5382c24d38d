/* Counters: questions and answers between threads. */
#include "daemon/counters.h"

#include "daemon/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t count_nodes(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->pipelines[i]->node_count;
	return count;
}

static bool snapshot_open(struct snapshot *snapshot, const struct plan *plan)
{
	*snapshot = (struct snapshot){ .plan = plan, .node_count = count_nodes(plan) };
	snapshot->nodes = calloc(snapshot->node_count, sizeof(*snapshot->nodes));
	snapshot->pools = calloc(plan->count, sizeof(*snapshot->pools));
	snapshot->workers = calloc(plan->workers, sizeof(*snapshot->workers));
	if (snapshot->nodes && snapshot->pools && snapshot->workers)
		return true;
	snapshot_close(snapshot);
	return false;
}

void snapshot_let_go(struct snapshot *snapshot)
{
	if (snapshot->of)
		pthread_rwlock_unlock(&snapshot->of->plan_lock);
	snapshot->of = NULL;
}

void snapshot_close(struct snapshot *snapshot)
{
	snapshot_let_go(snapshot);
	free(snapshot->nodes);
	free(snapshot->pools);
	free(snapshot->workers);
	*snapshot = (struct snapshot){ 0 };
}

static void snapshot_copy(const struct snapshot *from, struct snapshot *to)
{
	const struct plan *plan = from->plan;

	memcpy(to->nodes, from->nodes, from->node_count * sizeof(*from->nodes));
	memcpy(to->pools, from->pools, plan->count * sizeof(*from->pools));
	memcpy(to->workers, from->workers, plan->workers * sizeof(*from->workers));
	to->at = from->at;
	to->number = from->number;
}

bool counters_open(struct counters *counters, const struct plan *plan)
{
	pthread_condattr_t attributes;

	*counters = (struct counters){ 0 };
	if (!snapshot_open(&counters->snapshot, plan))
		return false;
	pthread_mutex_init(&counters->lock, NULL);
	pthread_rwlock_init(&counters->plan_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&counters->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	counters->open = true;
	return true;
}

void counters_close(struct counters *counters)
{
	if (!counters->open)
		return;
	pthread_cond_destroy(&counters->answered);
	pthread_mutex_destroy(&counters->lock);
	pthread_rwlock_destroy(&counters->plan_lock);
	snapshot_close(&counters->snapshot);
	counters->open = false;
}

/* The first node of the pipeline among all. */
static size_t first_node(const struct plan *plan, size_t pipeline)
{
	size_t first = 0;

	for (size_t i = 0; i < pipeline; i++)
		first += plan->pipelines[i]->node_count;
	return first;
}

static void copy_pool(const struct pool *pool, struct pool_report *report)
{
	if (pool)
		*report = (struct pool_report){ .count = pool_count(pool),
			.free = pool_free(pool),
			.most_used = pool_most_used(pool),
			.size = pool_buffer_size(pool) };
}

static void copy_own(struct counters *counters, uint32_t worker, const struct engine *engine)
{
	struct snapshot *snapshot = &counters->snapshot;
	const struct plan *plan = snapshot->plan;

	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		if (pipeline->worker != worker || !engine_counts(pipeline))
			continue; /* what it counted before it was replaced, stays */
		struct node_report *reports = snapshot->nodes + first_node(plan, i);
		for (size_t k = 0; k < pipeline->node_count; k++)
			report_node(pipeline->nodes[k], &reports[k]);
		copy_pool(pipeline->pool, &snapshot->pools[i]);
	}
	snapshot->workers[worker].turns = *engine_turn_times(engine);
}

static void answer(
	struct counters *counters, uint32_t worker, const struct engine *engine, uint64_t question)
{
	pthread_mutex_lock(&counters->lock);
	copy_own(counters, worker, engine);
	counters->snapshot.workers[worker].answered = question;
	counters->snapshot.workers[worker].asked_at = 0;
	pthread_cond_broadcast(&counters->answered);
	pthread_mutex_unlock(&counters->lock);
}

void counters_answer(struct counters *counters, uint32_t worker, const struct engine *engine)
{
	/* Only this thread sets what it has answered. */
	const uint64_t question = atomic_load(&counters->question);

	if (counters->open && counters->snapshot.workers[worker].answered < question)
		answer(counters, worker, engine, question);
}

void counters_keep(struct counters *counters, uint32_t worker, const struct engine *engine)
{
	if (!counters->open)
		return;
	pthread_mutex_lock(&counters->lock);
	copy_own(counters, worker, engine);
	pthread_mutex_unlock(&counters->lock);
}

void counters_end(struct counters *counters, uint32_t worker, const struct engine *engine)
{
	if (counters->open)
		answer(counters, worker, engine, UINT64_MAX);
}

static bool all_answered(const struct counters *counters, uint64_t question)
{
	for (uint32_t i = 0; i < counters->snapshot.plan->workers; i++)
		if (counters->snapshot.workers[i].answered < question)
			return false;
	return true;
}

static uint64_t put_question(struct counters *counters)
{
	const uint64_t question = atomic_fetch_add(&counters->question, 1) + 1, now = clock_ms();

	for (uint32_t i = 0; i < counters->snapshot.plan->workers; i++) {
		struct worker_report *worker = &counters->snapshot.workers[i];
		if (worker->answered < question && worker->asked_at == 0)
			worker->asked_at = now;
	}
	return question;
}

/* Whoever is about to change the plan goes first, or there might always be somebody who looks at it. */
static void let_change(struct counters *counters, uint64_t patience_ms)
{
	const struct timespec end = clock_after(patience_ms);
	int late = 0;

	pthread_mutex_lock(&counters->lock);
	while (counters->wanted && !counters->over && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&counters->answered, &counters->lock, &end);
	pthread_mutex_unlock(&counters->lock);
}

static void wait_for_answers(struct counters *counters, uint64_t question, uint64_t patience_ms)
{
	const struct timespec end = clock_after(patience_ms);

	while (!counters->over && !all_answered(counters, question))
		if (pthread_cond_timedwait(&counters->answered, &counters->lock, &end) == ETIMEDOUT)
			return;
}

static void want_plan(struct counters *counters, bool wanted)
{
	pthread_mutex_lock(&counters->lock);
	counters->wanted = wanted;
	pthread_cond_broadcast(&counters->answered);
	pthread_mutex_unlock(&counters->lock);
}

bool counters_lock_plan(struct counters *counters)
{
	if (!counters->open)
		return true;
	const bool locked = pthread_rwlock_trywrlock(&counters->plan_lock) == 0;

	want_plan(counters, !locked);
	return locked;
}

void counters_unlock_plan(struct counters *counters)
{
	if (counters->open)
		pthread_rwlock_unlock(&counters->plan_lock);
}

/* What the workers have answered stays where it is: they are the same, and look at it without a lock. */
static void take_plan(struct snapshot *snapshot, struct snapshot *fresh)
{
	free(snapshot->nodes);
	free(snapshot->pools);
	free(fresh->workers);
	snapshot->plan = fresh->plan;
	snapshot->nodes = fresh->nodes;
	snapshot->node_count = fresh->node_count;
	snapshot->pools = fresh->pools;
	snapshot->number++;
}

bool counters_replace(struct counters *counters, const struct plan *plan)
{
	struct snapshot fresh;

	if (!counters_lock_plan(counters))
		return false;
	const bool made = snapshot_open(&fresh, plan);
	if (made) {
		pthread_mutex_lock(&counters->lock);
		take_plan(&counters->snapshot, &fresh);
		pthread_mutex_unlock(&counters->lock);
	}
	counters_unlock_plan(counters);
	return made;
}

void counters_give_up(struct counters *counters)
{
	if (!counters->open)
		return;
	pthread_mutex_lock(&counters->lock);
	counters->over = true;
	pthread_cond_broadcast(&counters->answered);
	pthread_mutex_unlock(&counters->lock);
}

bool counters_ask(struct counters *counters, void (*wake)(void *context), void *context,
	uint64_t patience_ms, struct snapshot *copy)
{
	let_change(counters, patience_ms);
	pthread_rwlock_rdlock(&counters->plan_lock);
	if (!snapshot_open(copy, counters->snapshot.plan)) {
		pthread_rwlock_unlock(&counters->plan_lock);
		return false;
	}
	copy->of = counters;
	pthread_mutex_lock(&counters->lock);
	const uint64_t question = put_question(counters);
	wake(context);
	wait_for_answers(counters, question, patience_ms);
	counters->snapshot.at = clock_ms();
	snapshot_copy(&counters->snapshot, copy);
	copy->complete = all_answered(counters, question);
	pthread_mutex_unlock(&counters->lock);
	return true;
}

void snapshot_node(const struct snapshot *snapshot, const struct pipeline *pipeline, size_t index,
	struct node_report *report)
{
	const size_t number = plan_number(snapshot->plan, pipeline);
	const struct node_report *reports = snapshot->nodes + first_node(snapshot->plan, number);

	*report = reports[index];
	for (uint32_t shard = 1; shard < pipeline->shards; shard++)
		report_add(report, &reports[shard * pipeline->node_count + index]);
}

void snapshot_pool(const struct snapshot *snapshot, const struct pipeline *pipeline,
	struct pool_report *report)
{
	const size_t number = plan_number(snapshot->plan, pipeline);

	*report = snapshot->pools[number];
	for (uint32_t shard = 1; shard < pipeline->shards; shard++) {
		const struct pool_report *other = &snapshot->pools[number + shard];
		report->count += other->count;
		report->free += other->free;
		report->most_used += other->most_used;
	}
}
