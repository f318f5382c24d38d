/* Control: one thread asks, another answers. */
#include "daemon/control.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>

Test(control, takes_what_was_asked_for_once)
{
	struct control control;

	control_open(&control);
	cr_assert_not(control_take_reopen(&control));
	cr_assert_not(control_take_reload(&control));
	control_ask_reopen(&control);
	cr_assert(control_take_reopen(&control));
	cr_assert_not(control_take_reopen(&control));
	cr_assert_eq(control_ask_reload(&control), 1);
	cr_assert_eq(control_ask_reload(&control), 2);
	cr_assert(control_take_reload(&control));
	cr_assert_not(control_take_reload(&control), "two that were asked for together are one");
	control_close(&control);
}

Test(control, answers_those_who_asked_before_it_began)
{
	struct control control;
	char outcome[CONTROL_TEXT], *details;

	control_open(&control);
	uint64_t first = control_ask_reload(&control);
	cr_assert(control_take_reload(&control));
	uint64_t second = control_ask_reload(&control);
	control_answer(&control, true, "done", NULL);
	cr_assert(control_wait(&control, first, 0, outcome, &details));
	cr_assert_str_eq(outcome, "done");
	cr_assert_not(control_wait(&control, second, 0, outcome, &details));
	cr_assert_str_eq(outcome, "the reload is still under way");
	cr_assert(control_take_reload(&control));
	control_answer(&control, false, "refused", "why");
	cr_assert_not(control_wait(&control, second, 0, outcome, &details));
	cr_assert_str_eq(outcome, "refused");
	cr_assert_str_eq(details, "why");
	free(details);
	control_close(&control);
}

static void *answer_when_asked(void *context)
{
	struct control *control = context;

	while (!control_take_reload(control))
		sched_yield();
	control_answer(control, true, "done", NULL);
	return NULL;
}

Test(control, wakes_who_waits, .timeout = 60)
{
	struct control control;
	char outcome[CONTROL_TEXT], *details;
	pthread_t thread;

	control_open(&control);
	cr_assert_eq(pthread_create(&thread, NULL, answer_when_asked, &control), 0);
	cr_assert(control_wait(&control, control_ask_reload(&control), 60000, outcome, &details));
	cr_assert_str_eq(outcome, "done");
	pthread_join(thread, NULL);
	control_close(&control);
}

Test(control, lets_go_of_who_waits_for_nobody)
{
	struct control control;
	char outcome[CONTROL_TEXT], *details;

	control_open(&control);
	uint64_t number = control_ask_reload(&control);
	control_give_up(&control);
	cr_assert_not(control_wait(&control, number, UINT32_MAX, outcome, &details));
	cr_assert_str_eq(outcome, "the reload was refused: the daemon is ending");
	control_close(&control);
}
