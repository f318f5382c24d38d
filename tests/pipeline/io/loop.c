/* The loop: turns, polls, cancelling, and libuv within it. */

#include "pipeline/io/loop.h"

#include "tests/pipeline/io/both.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>

TestSuite(loop, .timeout = 60);

Test(loop, gives_the_backend_that_was_wished_for)
{
	const char *why = "untouched";
	struct loop *loop = loop_create(LOOP_EPOLL, &why);

	cr_assert_str_eq(loop_backend(loop), "epoll");
	cr_assert_null(why);
	loop_destroy(loop);
	loop = loop_create(LOOP_AUTO, &why);
	cr_assert_not_null(loop);
	if (why)
		cr_assert_str_eq(loop_backend(loop), "epoll");
	else
		cr_assert_str_eq(loop_backend(loop), "uring");
	loop_destroy(loop);
	loop_destroy(NULL);
}

/* Without descriptors neither backend can be had, and both say so. */
Test(loop, says_why_there_is_none)
{
	struct rlimit usual, none;
	const char *why = NULL;

	getrlimit(RLIMIT_NOFILE, &usual);
	none = usual;
	none.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_null(loop_create(LOOP_EPOLL, &why));
	cr_assert_not_null(why);
	why = NULL;
	cr_assert_null(loop_create(LOOP_URING, &why));
	cr_assert_not_null(why);
	setrlimit(RLIMIT_NOFILE, &usual);
}

static void polls_input_and_output(struct loop *loop)
{
	struct probe input = probe_make(), output = probe_make();
	int sockets[2];

	socket_pair(sockets);
	io_poll(loop, &input.operation, sockets[0], POLLIN);
	io_poll(loop, &output.operation, sockets[0], POLLOUT);
	cr_assert_eq(output.ends, 0, "done must not be called by the asking call");
	cr_assert_eq(end_of(loop, &output), POLLOUT);
	turn_briefly(loop);
	cr_assert_eq(input.ends, 0);
	cr_assert_eq(write(sockets[1], "x", 1), 1);
	cr_assert_eq(end_of(loop, &input), POLLIN);
	turn_briefly(loop);
	cr_assert_eq(input.ends + output.ends, 2, "a poll is for once");
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop, polls_input_and_output)
{
	on_both(polls_input_and_output);
}

static void both_polls_end_in_one_turn(struct loop *loop)
{
	struct probe input = probe_make(), output = probe_make();
	int sockets[2];

	socket_pair(sockets);
	cr_assert_eq(write(sockets[1], "x", 1), 1);
	io_poll(loop, &input.operation, sockets[0], POLLIN);
	io_poll(loop, &output.operation, sockets[0], POLLOUT);
	cr_assert_eq(end_of(loop, &input), POLLIN);
	cr_assert_eq(end_of(loop, &output), POLLOUT);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop, both_polls_of_a_descriptor_end)
{
	on_both(both_polls_end_in_one_turn);
}

static void reports_hang_up(struct loop *loop)
{
	struct probe input = probe_make();
	int pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	io_poll(loop, &input.operation, pipes[0], POLLIN);
	turn_briefly(loop);
	close(pipes[1]);
	cr_assert(end_of(loop, &input) & POLLHUP);
	close(pipes[0]);
}

Test(loop, reports_hang_up)
{
	on_both(reports_hang_up);
}

static void what_cannot_be_polled_is_ready(struct loop *loop)
{
	int file = temporary_file(0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct probe probes[2] = { probe_make(), probe_make() };

	io_poll(loop, &probes[0].operation, file, POLLIN);
	io_poll(loop, &probes[1].operation, null, POLLOUT);
	cr_assert_eq(probes[0].ends + probes[1].ends, 0);
	cr_assert_eq(end_of(loop, &probes[0]), POLLIN);
	cr_assert_eq(end_of(loop, &probes[1]), POLLOUT);
	close(file);
	close(null);
}

Test(loop, what_cannot_be_polled_is_ready)
{
	on_both(what_cannot_be_polled_is_ready);
}

static void a_closed_descriptor_is_an_error(struct loop *loop)
{
	struct probe probes[2] = { probe_make(), probe_make() };
	int pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	close(pipes[0]);
	close(pipes[1]);
	io_poll(loop, &probes[0].operation, pipes[0], POLLIN);
	io_poll(loop, &probes[1].operation, -1, POLLIN);
	cr_assert_eq(end_of(loop, &probes[0]), -EBADF);
	cr_assert_eq(end_of(loop, &probes[1]), -EBADF);
}

Test(loop, a_closed_descriptor_is_an_error)
{
	on_both(a_closed_descriptor_is_an_error);
}

/* The number of a closed descriptor comes back with another file behind it, also while a copy of
 * the old one lives. */
static void numbers_are_used_again(struct loop *loop)
{
	int copies[32];

	for (int i = 0; i < 32; i++) {
		struct probe input = probe_make();
		int pipes[2];

		cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
		copies[i] = fcntl(pipes[0], F_DUPFD_CLOEXEC, 500);
		io_poll(loop, &input.operation, pipes[0], POLLIN);
		turn_briefly(loop);
		cr_assert_eq(input.ends, 0);
		cr_assert_eq(write(pipes[1], "x", 1), 1);
		cr_assert(end_of(loop, &input) & POLLIN);
		close(pipes[0]);
		close(pipes[1]);
	}
	for (int i = 0; i < 32; i++)
		close(copies[i]);
}

Test(loop, numbers_are_used_again)
{
	on_both(numbers_are_used_again);
}

/* A copy keeps the cancelled one's file alive: what happens there must not end a poll of the
 * same number. */
static void a_cancelled_poll_is_forgotten(struct loop *loop)
{
	struct probe former = probe_make(), later = probe_make();
	int pipes[2], others[2], copy, spare;

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(others, O_CLOEXEC), 0);
	copy = fcntl(pipes[0], F_DUPFD_CLOEXEC, 500);
	io_poll(loop, &former.operation, pipes[0], POLLIN);
	turn_briefly(loop);
	io_cancel(&former.operation);
	cr_assert_eq(end_of(loop, &former), -ECANCELED);
	spare = dup3(others[0], pipes[0], O_CLOEXEC);
	io_poll(loop, &later.operation, spare, POLLIN);
	cr_assert_eq(write(pipes[1], "x", 1), 1);
	turn_briefly(loop);
	cr_assert_eq(later.ends, 0);
	cr_assert_eq(write(others[1], "x", 1), 1);
	cr_assert_eq(end_of(loop, &later), POLLIN);
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(others[i]);
	}
	close(copy);
}

Test(loop, a_cancelled_poll_is_forgotten)
{
	on_both(a_cancelled_poll_is_forgotten);
}

static void one_poll_for_both(struct loop *loop)
{
	struct probe probe = probe_make();
	int sockets[2];

	socket_pair(sockets);
	cr_assert_eq(write(sockets[1], "x", 1), 1);
	io_poll(loop, &probe.operation, sockets[0], POLLIN | POLLOUT);
	cr_assert_eq(end_of(loop, &probe), POLLIN | POLLOUT);
	turn_briefly(loop);
	cr_assert_eq(probe.ends, 1);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop, one_poll_for_both)
{
	on_both(one_poll_for_both);
}

enum { MANY = 700 };

struct crowd {
	struct probe probes[MANY];
	int fds[MANY];
};

static int crowd_ends(const struct crowd *crowd)
{
	int ends = 0;

	for (int i = 0; i < MANY; i++)
		ends += crowd->probes[i].ends;
	return ends;
}

static void crowd_open(struct crowd *crowd, struct loop *loop)
{
	for (int i = 0; i < MANY; i++) {
		crowd->fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		cr_assert_geq(crowd->fds[i], 0);
		crowd->probes[i] = probe_make();
		io_poll(loop, &crowd->probes[i].operation, crowd->fds[i], POLLIN);
	}
}

static void crowd_close(struct crowd *crowd)
{
	for (int i = 0; i < MANY; i++)
		close(crowd->fds[i]);
}

/* More than the submission queue and an epoll_wait hold at once. */
static void many_polls(struct loop *loop)
{
	static struct crowd crowd;

	crowd_open(&crowd, loop);
	turn_briefly(loop);
	cr_assert_eq(crowd_ends(&crowd), 0);
	for (int i = 0; i < MANY; i += 2)
		eventfd_write(crowd.fds[i], 1);
	for (int i = 0; i < MOST_TURNS && crowd_ends(&crowd) < MANY / 2; i++)
		loop_turn(loop, LONG_WAIT_MS);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(crowd.probes[i].ends, i % 2 == 0);
	for (int i = 0; i < MANY; i++)
		io_cancel(&crowd.probes[i].operation);
	for (int i = 0; i < MOST_TURNS && crowd_ends(&crowd) < MANY; i++)
		loop_turn(loop, LONG_WAIT_MS);
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(crowd.probes[i].ends, 1);
		cr_assert_eq(crowd.probes[i].result, i % 2 == 0 ? POLLIN : -ECANCELED);
	}
	crowd_close(&crowd);
}

Test(loop, many_polls)
{
	raise_descriptors(MANY + 100);
	on_both(many_polls);
}

/* More completions than the completion queue holds, none of them lost. */
static void many_completions(struct loop *loop)
{
	enum { COUNT = 6000 };
	static struct probe probes[COUNT];
	static char bytes[COUNT];
	static struct iovec pieces[COUNT];
	int file = temporary_file(0);
	int left = COUNT;

	cr_assert_eq(write(file, "x", 1), 1);
	for (int i = 0; i < COUNT; i++) {
		probes[i] = probe_make();
		pieces[i] = piece_of(&bytes[i], 1);
		bytes[i] = 0;
		io_read(loop, &probes[i].operation, file, &pieces[i], 1, 0);
	}
	for (int turn = 0; turn < MOST_TURNS && left > 0; turn++) {
		loop_turn(loop, LONG_WAIT_MS);
		left = 0;
		for (int i = 0; i < COUNT; i++)
			left += probes[i].ends == 0;
	}
	for (int i = 0; i < COUNT; i++) {
		cr_assert_eq(probes[i].ends, 1);
		cr_assert_eq(probes[i].result, 1);
		cr_assert_eq(bytes[i], 'x');
	}
	close(file);
}

Test(loop, many_completions)
{
	on_both(many_completions);
}

static void cancels_a_poll_once(struct loop *loop)
{
	struct probe input = probe_make(), output = probe_make();
	int sockets[2];

	socket_pair(sockets);
	io_poll(loop, &input.operation, sockets[0], POLLIN);
	turn_briefly(loop);
	io_cancel(&input.operation);
	io_cancel(&input.operation);
	cr_assert_eq(input.ends, 0, "done must not be called by io_cancel");
	cr_assert_eq(end_of(loop, &input), -ECANCELED);
	io_cancel(&input.operation);

	io_poll(loop, &input.operation, sockets[0], POLLIN);
	io_poll(loop, &output.operation, sockets[0], POLLOUT);
	io_cancel(&input.operation);
	turn_until(loop, &input.ends, 2);
	cr_assert_eq(input.result, -ECANCELED, "asked for and cancelled before a turn");
	cr_assert_eq(end_of(loop, &output), POLLOUT, "the other direction goes on");
	cr_assert_eq(close(sockets[1]), 0);
	turn_briefly(loop);
	cr_assert_eq(input.ends, 2);
	close(sockets[0]);
}

Test(loop, cancels_a_poll_once)
{
	on_both(cancels_a_poll_once);
}

/* The result may have come before the cancel. It counts, and the next use of the operation is
 * not hit. */
static void a_late_cancel_does_no_harm(struct loop *loop)
{
	struct probe input = probe_make();
	int sockets[2];

	socket_pair(sockets);
	for (int i = 1; i <= 50; i++) {
		io_poll(loop, &input.operation, sockets[0], POLLIN);
		loop_turn(loop, 0);
		cr_assert_eq(write(sockets[1], "x", 1), 1);
		io_cancel(&input.operation);
		turn_until(loop, &input.ends, i);
		cr_assert(input.result == -ECANCELED || input.result == POLLIN);
		cr_assert_eq(read(sockets[0], &(char){ 0 }, 1), 1);
	}
	io_poll(loop, &input.operation, sockets[0], POLLIN);
	turn_briefly(loop);
	cr_assert_eq(input.ends, 50);
	cr_assert_eq(write(sockets[1], "x", 1), 1);
	turn_until(loop, &input.ends, 51);
	cr_assert_eq(input.result, POLLIN);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop, a_late_cancel_does_no_harm)
{
	on_both(a_late_cancel_does_no_harm);
}

/* A callback that cancels a neighbour which is ready in the same turn, and asks again for
 * itself. */
struct rival {
	struct probe probe;
	struct rival *other;
	struct loop *loop;
	int fd;
};

static void cancel_rival(struct io_operation *operation, int result)
{
	struct rival *rival = (struct rival *)operation;

	probe_end(operation, result);
	io_cancel(&rival->other->probe.operation);
	if (rival->probe.ends == 1)
		io_poll(rival->loop, operation, rival->fd, POLLIN);
}

static void callbacks_may_cancel_and_ask(struct loop *loop)
{
	struct rival rivals[2] = { 0 };
	int sockets[2][2];

	for (int i = 0; i < 2; i++) {
		socket_pair(sockets[i]);
		cr_assert_eq(write(sockets[i][1], "x", 1), 1);
		rivals[i] = (struct rival){
			.probe.operation.done = cancel_rival,
			.other = &rivals[!i],
			.loop = loop,
			.fd = sockets[i][0],
		};
	}
	for (int i = 0; i < 2; i++)
		io_poll(loop, &rivals[i].probe.operation, sockets[i][0], POLLIN);
	for (int i = 0; i < 2; i++)
		turn_until(loop, &rivals[i].probe.ends, 2);
	turn_briefly(loop);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(rivals[i].probe.ends, 2);
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
}

Test(loop, callbacks_may_cancel_and_ask)
{
	on_both(callbacks_may_cancel_and_ask);
}

static void time_ends_a_turn(struct loop *loop)
{
	uint64_t before = loop_now(loop);

	loop_turn(loop, 0);
	loop_turn(loop, 20);
	cr_assert_geq(loop_now(loop), before);
	cr_assert_gt(loop_now(loop), 0);
}

/* Nothing is waited for: a day would be long. */
static void time_passes_at_once(struct loop *loop)
{
	enum { DAY_MS = 24 * 60 * 60 * 1000 };

	loop_pass_time(loop);
	uint64_t before = loop_now(loop);
	loop_turn(loop, 0);
	cr_assert_eq(loop_now(loop), before);
	loop_turn(loop, DAY_MS);
	cr_assert_eq(loop_now(loop), before + DAY_MS);
	loop_submit(loop);
	loop_turn(loop, 0);
	cr_assert_eq(loop_now(loop), before + DAY_MS);
}

Test(loop, lets_time_pass_at_once_where_it_is_asked_to)
{
	on_both(time_passes_at_once);
}

Test(loop, ends_a_turn_when_the_time_has_passed)
{
	on_both(time_ends_a_turn);
}

static void ignore(int signal)
{
	(void)signal;
}

struct interrupter {
	pthread_t target;
	atomic_bool ended;
};

/* Again and again, as the first signals may come before the wait begins. */
static void *interrupt(void *argument)
{
	struct interrupter *interrupter = argument;
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };

	while (!atomic_load(&interrupter->ended)) {
		pthread_kill(interrupter->target, SIGUSR2);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The turn would wait for ever; the interruption ends it. */
static void an_interruption_ends_a_turn(struct loop *loop)
{
	struct sigaction action = { .sa_handler = ignore };
	struct interrupter interrupter = { .target = pthread_self() };
	pthread_t thread;

	loop_turn(loop, 0);
	sigaction(SIGUSR2, &action, NULL);
	cr_assert_eq(pthread_create(&thread, NULL, interrupt, &interrupter), 0);
	loop_turn(loop, -1);
	atomic_store(&interrupter.ended, true);
	pthread_join(thread, NULL);
}

Test(loop, an_interruption_ends_a_turn)
{
	on_both(an_interruption_ends_a_turn);
}
