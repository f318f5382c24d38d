/* Everything of libuv works within the turns. */

#include "pipeline/io/loop.h"

#include "tests/pipeline/io/both.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <uv.h>

TestSuite(loop_libuv, .timeout = 60);

/* Handles and requests lead here through `data`. */
static void count_handle(uv_handle_t *handle)
{
	++*(int *)handle->data;
}

/* Closes, and turns until libuv has said so. */
static void close_handle(struct loop *loop, uv_handle_t *handle)
{
	int closed = 0;

	handle->data = &closed;
	uv_close(handle, count_handle);
	turn_until(loop, &closed, 1);
}

static void count_timer(uv_timer_t *timer)
{
	count_handle((uv_handle_t *)timer);
}

static void timers(struct loop *loop)
{
	uv_timer_t timer, idle;
	int times = 0, never = 0;
	uint64_t before;

	loop_turn(loop, 0);
	uv_timer_init(loop_uv(loop), &timer);
	uv_timer_init(loop_uv(loop), &idle);
	timer.data = &times;
	idle.data = &never;
	before = loop_now(loop);
	uv_timer_start(&idle, count_timer, 3600 * 1000, 0);
	uv_timer_start(&timer, count_timer, 5, 5);
	for (int i = 0; i < MOST_TURNS && times < 3; i++)
		loop_turn(loop, -1);
	cr_assert_geq(times, 3);
	cr_assert_eq(never, 0);
	cr_assert_geq(loop_now(loop), before + 15);
	close_handle(loop, (uv_handle_t *)&timer);
	close_handle(loop, (uv_handle_t *)&idle);
}

Test(loop_libuv, timers)
{
	on_both(timers);
}

/* One that does not keep libuv's own loop alive: libuv alone would not wait for it. */
static void a_timer_without_reference(struct loop *loop)
{
	uv_timer_t timer;
	int times = 0, turns = 0;

	uv_timer_init(loop_uv(loop), &timer);
	uv_unref((uv_handle_t *)&timer);
	timer.data = &times;
	uv_timer_start(&timer, count_timer, 30, 0);
	for (; turns < MOST_TURNS && times == 0; turns++)
		loop_turn(loop, -1);
	cr_assert_eq(times, 1);
	cr_assert_leq(turns, 20, "it must have been waited for");
	close_handle(loop, (uv_handle_t *)&timer);
}

Test(loop_libuv, a_timer_without_reference)
{
	on_both(a_timer_without_reference);
}

static void count_async(uv_async_t *async)
{
	count_handle((uv_handle_t *)async);
}

static void *send_async(void *argument)
{
	uv_async_send(argument);
	return NULL;
}

static void wakes_from_another_thread(struct loop *loop)
{
	uv_async_t async;
	int times = 0;

	uv_async_init(loop_uv(loop), &async, count_async);
	async.data = &times;
	for (int i = 1; i <= 20; i++) {
		pthread_t thread;

		cr_assert_eq(pthread_create(&thread, NULL, send_async, &async), 0);
		while (times < i)
			loop_turn(loop, -1);
		pthread_join(thread, NULL);
	}
	cr_assert_eq(times, 20);
	close_handle(loop, (uv_handle_t *)&async);
}

Test(loop_libuv, wakes_from_another_thread)
{
	on_both(wakes_from_another_thread);
}

static void count_signal(uv_signal_t *watched, int number)
{
	(void)number;
	count_handle((uv_handle_t *)watched);
}

static void signals(struct loop *loop)
{
	uv_signal_t watched;
	int times = 0;

	uv_signal_init(loop_uv(loop), &watched);
	watched.data = &times;
	uv_signal_start(&watched, count_signal, SIGUSR1);
	for (int i = 1; i <= 3; i++) {
		kill(getpid(), SIGUSR1);
		turn_until(loop, &times, i);
	}
	close_handle(loop, (uv_handle_t *)&watched);
}

Test(loop_libuv, signals)
{
	on_both(signals);
}

static void count_change(uv_fs_event_t *watched, const char *name, int events, int status)
{
	(void)events;
	cr_assert_eq(status, 0);
	cr_assert_str_eq(name, "new");
	count_handle((uv_handle_t *)watched);
}

static void file_changes(struct loop *loop)
{
	char directory[] = "/tmp/viewduct-io-XXXXXX", path[64];
	uv_fs_event_t watched;
	int times = 0, fd;

	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/new", directory);
	uv_fs_event_init(loop_uv(loop), &watched);
	watched.data = &times;
	cr_assert_eq(uv_fs_event_start(&watched, count_change, directory, 0), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	for (int i = 0; i < MOST_TURNS && times == 0; i++)
		loop_turn(loop, LONG_WAIT_MS);
	cr_assert_geq(times, 1);
	close(fd);
	unlink(path);
	rmdir(directory);
	close_handle(loop, (uv_handle_t *)&watched);
}

Test(loop_libuv, file_changes)
{
	on_both(file_changes);
}

static void count_names(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	cr_assert_eq(status, 0);
	cr_assert_not_null(found);
	uv_freeaddrinfo(found);
	++*(int *)request->data;
}

static void names(struct loop *loop)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	uv_getaddrinfo_t request;
	int times = 0;

	request.data = &times;
	cr_assert_eq(
		uv_getaddrinfo(loop_uv(loop), &request, count_names, "127.0.0.1", "80", &hints), 0);
	turn_until(loop, &times, 1);
}

Test(loop_libuv, names)
{
	on_both(names);
}

static void count_poll(uv_poll_t *polled, int status, int events)
{
	char byte;

	cr_assert_eq(status, 0);
	cr_assert(events & UV_READABLE);
	cr_assert_eq(read(*(int *)polled->data, &byte, 1), 1);
	*(int *)polled->data = -1;
}

/* Several descriptors ready at once inside libuv, each handled. */
static void polls_of_libuv(struct loop *loop)
{
	enum { COUNT = 40 };
	static uv_poll_t polls[COUNT];
	int sockets[COUNT][2], fds[COUNT], left = COUNT;

	for (int i = 0; i < COUNT; i++) {
		socket_pair(sockets[i]);
		fds[i] = sockets[i][0];
		uv_poll_init(loop_uv(loop), &polls[i], fds[i]);
		polls[i].data = &fds[i];
		uv_poll_start(&polls[i], UV_READABLE, count_poll);
	}
	turn_briefly(loop);
	for (int i = 0; i < COUNT; i++)
		cr_assert_eq(write(sockets[i][1], "x", 1), 1);
	for (int turn = 0; turn < MOST_TURNS && left > 0; turn++) {
		loop_turn(loop, LONG_WAIT_MS);
		left = 0;
		for (int i = 0; i < COUNT; i++)
			left += fds[i] != -1;
	}
	cr_assert_eq(left, 0);
	for (int i = 0; i < COUNT; i++) {
		close_handle(loop, (uv_handle_t *)&polls[i]);
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
}

Test(loop_libuv, polls)
{
	on_both(polls_of_libuv);
}

static void count_work(uv_work_t *request, int status)
{
	cr_assert_eq(status, 0);
	++*(int *)request->data;
}

static void do_work(uv_work_t *request)
{
	(void)request;
}

/* Nothing else is alive, and the turn waits without end. */
static void works_on_threads(struct loop *loop)
{
	uv_work_t request;
	int times = 0;

	request.data = &times;
	for (int i = 1; i <= 10; i++) {
		uv_queue_work(loop_uv(loop), &request, do_work, count_work);
		while (times < i)
			loop_turn(loop, -1);
	}
}

Test(loop_libuv, works_on_threads)
{
	on_both(works_on_threads);
}

/* A handle whose closing is asked for, and no turn after it. */
static void destroying_finishes_what_closes(struct loop *loop)
{
	static uv_timer_t timer;
	static int closed;

	closed = 0;
	uv_timer_init(loop_uv(loop), &timer);
	timer.data = &closed;
	uv_close((uv_handle_t *)&timer, count_handle);
}

Test(loop_libuv, destroying_finishes_what_closes)
{
	on_both(destroying_finishes_what_closes);
}

/* A callback of libuv's asks for an operation; the next turn begins it. */
struct asker {
	struct probe probe;
	struct loop *loop;
	int fd;
};

static void ask(uv_timer_t *timer)
{
	struct asker *asker = timer->data;

	io_poll(asker->loop, &asker->probe.operation, asker->fd, POLLOUT);
}

static void libuv_may_ask(struct loop *loop)
{
	struct asker asker = { .probe = probe_make(), .loop = loop };
	uv_timer_t timer;
	int sockets[2];

	socket_pair(sockets);
	asker.fd = sockets[0];
	uv_timer_init(loop_uv(loop), &timer);
	timer.data = &asker;
	uv_timer_start(&timer, ask, 1, 0);
	while (asker.probe.ends == 0)
		loop_turn(loop, -1);
	cr_assert_eq(asker.probe.result, POLLOUT);
	close_handle(loop, (uv_handle_t *)&timer);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop_libuv, may_ask_for_operations)
{
	on_both(libuv_may_ask);
}
