/* Counters: questions to workers, some of whom do not answer. */
#include "daemon/counters.h"

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <sched.h>

struct asked {
	struct counters *counters;
	struct running *running;
	unsigned calls;
};

static void wake(void *context)
{
	struct asked *asked = context;

	asked->calls++;
}

/* What a worker does, on its own thread, once there is a question. */
static void *answer_later(void *context)
{
	struct asked *asked = context;

	while (atomic_load(&asked->counters->question) == 0)
		sched_yield();
	counters_answer(asked->counters, 0, asked->running->engine);
	return NULL;
}

static void ask_who_answers(struct running *running)
{
	struct counters counters;
	struct asked asked = { .counters = &counters, .running = running };
	struct snapshot snapshot;
	struct node_report report;
	pthread_t thread;

	file_put("in", "one\ntwo\n");
	cr_assert(running_open(running, "",
		"'p': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ "
		"'split' ], 'to': { 'file': 'out' } }"));
	running_to_end(running);
	cr_assert(counters_open(&counters, running->plan));
	cr_assert_eq(pthread_create(&thread, NULL, answer_later, &asked), 0);
	cr_assert(counters_ask(&counters, wake, &asked, 60000, &snapshot));
	pthread_join(thread, NULL);
	cr_assert(snapshot.complete);
	cr_assert_eq(asked.calls, 1);
	snapshot_node(&snapshot, running->plan->pipelines[0], 1, &report);
	cr_assert_eq(report.records_out, 2);
	cr_assert_eq(report.bytes_out, 8);
	snapshot_close(&snapshot);
	counters_close(&counters);
	running_close(running);
}

Test(counters, tell_what_a_worker_copied)
{
	running_on_both(ask_who_answers);
}

static void ask_nobody(struct running *running)
{
	struct counters counters;
	struct asked asked = { .counters = &counters, .running = running };
	struct snapshot snapshot;

	cr_assert(running_open(running, "", "'p': { 'from': 'generate', 'to': 'null' }"));
	cr_assert(counters_open(&counters, running->plan));
	cr_assert(counters_ask(&counters, wake, &asked, 0, &snapshot));
	cr_assert_not(snapshot.complete);
	cr_assert_neq(snapshot.workers[0].asked_at, 0);
	snapshot_close(&snapshot);
	counters_answer(&counters, 0, running->engine);
	counters_end(&counters, 0, running->engine);
	/* Who has ended has answered whatever comes. */
	cr_assert(counters_ask(&counters, wake, &asked, 0, &snapshot));
	cr_assert(snapshot.complete);
	snapshot_close(&snapshot);
	counters_close(&counters);
	running_close(running);
}

Test(counters, say_who_did_not_answer)
{
	running_on_both(ask_nobody);
}

static void give_up(struct running *running)
{
	struct counters counters;
	struct asked asked = { .counters = &counters, .running = running };
	struct snapshot snapshot;

	cr_assert(running_open(running, "", "'p': { 'from': 'generate', 'to': 'null' }"));
	cr_assert(counters_open(&counters, running->plan));
	counters_give_up(&counters);
	cr_assert(counters_ask(&counters, wake, &asked, UINT32_MAX, &snapshot));
	cr_assert_not(snapshot.complete);
	snapshot_close(&snapshot);
	counters_close(&counters);
	running_close(running);
}

Test(counters, are_not_waited_for_once_nobody_answers)
{
	running_on_both(give_up);
}

static void replace(struct running *running)
{
	struct counters counters;
	struct asked asked = { .counters = &counters, .running = running };
	struct snapshot before, after;

	cr_assert(running_open(running, "", "'p': { 'from': 'generate', 'to': 'null' }"));
	cr_assert(counters_open(&counters, running->plan));
	const struct worker_report *workers = counters.snapshot.workers;
	counters_end(&counters, 0, running->engine);
	cr_assert(counters_ask(&counters, wake, &asked, 0, &before));
	cr_assert_not(counters_replace(&counters, running->plan), "somebody looks at the plan");
	snapshot_let_go(&before);
	cr_assert(counters_replace(&counters, running->plan));
	cr_assert_eq(counters.snapshot.workers, workers, "what workers look at has moved");
	cr_assert(counters_ask(&counters, wake, &asked, 0, &after));
	cr_assert_eq(after.number, before.number + 1);
	cr_assert(after.complete, "the worker that has ended has not answered any more");
	snapshot_close(&before);
	snapshot_close(&after);
	counters_close(&counters);
	running_close(running);
}

Test(counters, go_on_with_another_plan_when_nobody_looks_at_the_old_one)
{
	running_on_both(replace);
}

/* A plan that is wanted is not given to those who come behind. */
static void want(struct running *running)
{
	struct counters counters;
	struct asked asked = { .counters = &counters, .running = running };
	struct snapshot first, second;

	cr_assert(running_open(running, "", "'p': { 'from': 'generate', 'to': 'null' }"));
	cr_assert(counters_open(&counters, running->plan));
	counters_end(&counters, 0, running->engine);
	cr_assert(counters_ask(&counters, wake, &asked, 0, &first));
	cr_assert_not(counters_lock_plan(&counters));
	cr_assert(counters.wanted);
	snapshot_close(&first);
	cr_assert(counters_lock_plan(&counters));
	cr_assert_not(counters.wanted);
	counters_unlock_plan(&counters);
	cr_assert(counters_ask(&counters, wake, &asked, UINT32_MAX, &second));
	snapshot_close(&second);
	counters_close(&counters);
	running_close(running);
}

Test(counters, let_who_changes_the_plan_go_first)
{
	running_on_both(want);
}
