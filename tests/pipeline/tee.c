/* A tee: what is said of a branch that drops. */

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

enum { MINUTE_MS = 60 * 1000, MOST_PUSHES = 10000 };

static const char words[] = "its newest records are dropped";

static int pipe_input(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	return ends[1];
}

static unsigned times_told(const struct running *running)
{
	unsigned count = 0;

	for (const char *at = running->log; (at = strstr(at, words)); at++)
		count++;
	return count;
}

static const struct branch *dropping(const struct running *running)
{
	const struct tee *tee = running_node(running, "p.to")->state;

	return &tee->branches[1];
}

/* Puts records until the branch has dropped some more; the clock stands still meanwhile. */
static void drop_some(struct running *running, int input)
{
	const uint64_t before = dropping(running)->dropped;
	char record[1024];

	memset(record, 'x', sizeof(record));
	record[sizeof(record) - 1] = '\n';
	for (int i = 0; i < MOST_PUSHES && dropping(running)->dropped == before; i++) {
		cr_assert_eq(write(input, record, sizeof(record)), (ssize_t)sizeof(record));
		for (int k = 0; k < 4; k++)
			engine_turn(running->engine, 0);
	}
	cr_assert_gt(dropping(running)->dropped, before);
}

static void tells_once_a_minute(struct running *running)
{
	const int input = pipe_input();

	cr_assert(running_open(running, "'memory':'2MiB','buffer':'4KiB'",
		"'p':{'from':'stdin','stages':[{'split':{'max_record':'4KiB'}}],"
		"'to':['null',{'unix':'nobody-is-there','when_full':'drop'}]}"));
	loop_pass_time(running->loop);
	drop_some(running, input);
	cr_expect_eq(times_told(running), 1, "at once: %s", running->log);
	for (uint64_t end = loop_now(running->loop) + MINUTE_MS / 2; loop_now(running->loop) < end;)
		engine_turn(running->engine, 1000);
	drop_some(running, input);
	cr_expect_eq(times_told(running), 1, "half a minute later: %s", running->log);
	for (uint64_t end = loop_now(running->loop) + MINUTE_MS / 2 + 1;
		loop_now(running->loop) < end;)
		engine_turn(running->engine, 1000);
	drop_some(running, input);
	cr_expect_eq(times_told(running), 2, "a minute later: %s", running->log);
	close(input);
	running_close(running);
}

Test(tee, tells_of_what_it_drops_once_a_minute)
{
	running_on_both(tells_once_a_minute);
}
