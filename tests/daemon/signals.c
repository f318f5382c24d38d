/* Signals become events of the loop, on both backends. */
#include "daemon/signals.h"

#include "pipeline/io/loop.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

static void on_both(void (*body)(struct loop *loop))
{
	static const enum loop_wish wishes[] = { LOOP_AUTO, LOOP_EPOLL };
	const char *why;

	for (size_t i = 0; i < 2; i++) {
		struct loop *loop = loop_create(wishes[i], &why);
		cr_assert_not_null(loop);
		body(loop);
		loop_destroy(loop);
	}
}

static void expect_counts(struct loop *loop)
{
	struct signals signals;

	cr_assert(signals_open(&signals, loop));
	raise(SIGTERM);
	while (signals.ends < 1)
		loop_turn(loop, -1);
	cr_assert_not(signals.reopen);
	raise(SIGINT);
	while (signals.ends < 2)
		loop_turn(loop, -1);
	raise(SIGHUP);
	while (!signals.reopen)
		loop_turn(loop, -1);
	signals.reopen = false;
	raise(SIGUSR1);
	while (!signals.reopen)
		loop_turn(loop, -1);
	cr_assert_eq(signals.ends, 2);
	signals_close(&signals);
	cr_assert_eq(signals.open, 0);
	raise(SIGHUP); /* too late, and no reason to die */
	raise(SIGUSR1);
}

Test(signals, are_counted_and_told_apart)
{
	on_both(expect_counts);
}

static void expect_nothing(struct loop *loop)
{
	struct signals signals;

	signal(SIGUSR2, SIG_DFL);
	cr_assert(signals_open(&signals, loop));
	raise(SIGUSR2);
	raise(SIGTERM);
	while (signals.ends < 1)
		loop_turn(loop, -1);
	cr_assert_not(signals.reopen);
	cr_assert_not(signals.reload);
	signals_close(&signals);
}

Test(signals, one_without_a_meaning_ends_nothing)
{
	on_both(expect_nothing);
}

static void expect_no_harm(struct loop *loop)
{
	struct signals signals;
	int ends[2];

	cr_assert(signals_open(&signals, loop));
	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	cr_assert_eq(write(ends[1], "x", 1), -1);
	close(ends[1]);
	cr_assert_eq(signals.ends, 0);
	signals_close(&signals);
}

Test(signals, a_closed_pipe_is_no_signal)
{
	on_both(expect_no_harm);
}
