/* Counters: what the nodes have counted, copied by the threads that they belong to when somebody asks.
 *
 *     asker:   counters_ask ──▶ number of the question ── wakes the workers ──▶ waits
 *     worker:  between two turns, counters_answer: copies what is its own
 *
 * Nothing of a pipeline is ever read by another thread.
 */
#pragma once

#include "pipeline/engine.h"

#include <pthread.h>
#include <stdatomic.h>

struct pool_report {
	uint32_t count, free, most_used, size; /* buffers; bytes of each */
};

struct worker_report {
	uint64_t answered; /* the last question that it has answered; UINT64_MAX: it has ended */
	uint64_t asked_at; /* monotonic ms of the first question that it has not answered */
	struct turn_times turns;
};

/* One copy of everything. */
struct snapshot {
	const struct plan *plan;
	struct node_report *nodes; /* of all pipelines, one behind the other */
	size_t node_count;
	struct pool_report *pools; /* a pipeline each */
	struct worker_report *workers;
	uint64_t at;     /* monotonic ms */
	uint64_t number; /* of the plan: it grows with each that takes its place */
	struct counters
		*of;   /* whose plan is held until it is closed; NULL: only the copies are its */
	bool complete; /* every worker has answered */
};

struct counters {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	_Atomic uint64_t question;  /* the last one */
	pthread_rwlock_t plan_lock; /* whoever asks reads the plan, until the snapshot is closed */
	bool wanted;                /* somebody is about to change it: who asks waits */
	struct snapshot snapshot;
	bool open;
	bool over; /* nobody answers any more */
};

/* False without memory. */
bool counters_open(struct counters *counters, const struct plan *plan);
void counters_close(struct counters *counters);

/* On a worker's thread, between turns: copies what its engine has counted, if there is a question that it has not
 * answered. Costs nothing where there is none. */
void counters_answer(struct counters *counters, uint32_t worker, const struct engine *engine);

/* On a worker's thread that is about to change its pipelines: what they have counted is told until another plan is
 * gone on with. */
void counters_keep(struct counters *counters, uint32_t worker, const struct engine *engine);

/* As counters_answer(), for the last time: the worker ends. */
void counters_end(struct counters *counters, uint32_t worker, const struct engine *engine);

/* On any thread that changes pipelines of the plan: while it is locked nobody looks at them. False if somebody does: try
 * again later. */
bool counters_lock_plan(struct counters *counters);
void counters_unlock_plan(struct counters *counters);

/* Goes on with another plan of as many workers. False if somebody still looks at a snapshot of the one before (try again
 * later), or without memory. */
bool counters_replace(struct counters *counters, const struct plan *plan);

/* The workers will not answer any more: whoever waits goes on with what there is. */
void counters_give_up(struct counters *counters);

/* On any other thread: asks, has the workers woken, and waits until they have answered, at most `patience_ms`. `copy` gets
 * a copy for snapshot_close(); false without memory. What did not answer is as it was before (`complete` is false). */
bool counters_ask(struct counters *counters, void (*wake)(void *context), void *context,
	uint64_t patience_ms, struct snapshot *copy);

void snapshot_close(struct snapshot *snapshot);

/* The snapshot's plan may change from now on; it can be compared with later ones of the same number. */
void snapshot_let_go(struct snapshot *snapshot);

/* A node of a pipeline that is the first of its shards, with what the others counted. */
void snapshot_node(const struct snapshot *snapshot, const struct pipeline *pipeline, size_t index,
	struct node_report *report);

/* The pools of all its shards together. */
void snapshot_pool(const struct snapshot *snapshot, const struct pipeline *pipeline,
	struct pool_report *report);
