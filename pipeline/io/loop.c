/* The loop: turns, libuv within them, and what is the same for both backends. */

#include "pipeline/io/loop.h"

#include "pipeline/io/attempt.h"
#include "pipeline/io/backend.h"
#include "pipeline/io/pace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
	MOST_CLOSING_RUNS = 64
}; /* libuv closes handles in one or two; more is a handle that was left open */

const char *loop_reason(const char *call, int error)
{
	static _Thread_local char reason[128];

	snprintf(reason, sizeof(reason), "%s: %s", call, strerror(error));
	return reason;
}

static void keep(uv_check_t *keeper)
{
	(void)keeper;
}

static bool open_uv(struct loop *loop, const char **why)
{
	int error = uv_loop_init(&loop->uv);

	if (error) {
		*why = loop_reason("uv_loop_init", -error);
		return false;
	}
	uv_check_init(&loop->uv, &loop->keeper);
	uv_check_start(&loop->keeper, keep);
	return true;
}

static void close_uv(struct loop *loop)
{
	uv_close((uv_handle_t *)&loop->keeper, NULL);
	for (int runs = 0; uv_loop_close(&loop->uv) == UV_EBUSY; runs++) {
		assert(runs < MOST_CLOSING_RUNS);
		uv_run(&loop->uv, UV_RUN_NOWAIT);
	}
}

static bool open_backend(struct loop *loop, const struct backend *backend, const char **why)
{
	loop->backend = backend;
	loop->state = calloc(1, backend->state_size);
	if (!loop->state) {
		*why = loop_reason("calloc", errno);
		return false;
	}
	return backend->open(loop, why);
}

static struct loop *create(const struct backend *backend, const char **why)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop) {
		*why = loop_reason("calloc", errno);
		return NULL;
	}
	if (!open_uv(loop, why)) {
		free(loop);
		return NULL;
	}
	if (!open_backend(loop, backend, why)) {
		close_uv(loop);
		free(loop->state);
		free(loop);
		return NULL;
	}
	loop->uv_readable =
		true; /* libuv's descriptors enter its epoll set when it runs for the first time */
	return loop;
}

struct loop *loop_create(enum loop_wish wish, const char **why)
{
	const char *epoll_why = NULL;
	struct loop *loop;

	*why = NULL;
	if (wish == LOOP_EPOLL)
		return create(&backend_epoll, why);
	loop = create(&backend_uring, why);
	if (loop || wish == LOOP_URING)
		return loop;
	loop = create(&backend_epoll, &epoll_why);
	if (!loop)
		*why = epoll_why;
	return loop;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	assert(loop->in_flight == 0);
	loop->backend->close(loop);
	close_uv(loop);
	free(loop->state);
	free(loop);
}

const char *loop_backend(const struct loop *loop)
{
	return loop->backend->name;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->passes_time ? loop->now : uv_now(&loop->uv);
}

void loop_finish(struct loop *loop, struct io_operation *operation, int result)
{
	assert(operation->in_flight);
	operation->in_flight = false;
	loop->in_flight--;
	operation->done(operation, result);
}

void loop_finish_later(struct loop *loop, struct io_operation *operation, int result)
{
	operation->kind |= OPERATION_FINISHED;
	operation->events = (uint32_t)result;
	operation_list_append(&loop->finished, operation);
}

/* Delivers what is finished by now; what the callbacks add is the next turn's. */
static void deliver(struct loop *loop)
{
	uint32_t left = loop->finished.count;

	while (left--) {
		struct io_operation *operation = operation_list_take(&loop->finished);

		loop_finish(loop, operation, (int)operation->events);
	}
}

/* How long the turn may wait: not at all if something is known to be there, and never beyond
 * libuv's next timer. */
static int wait_limit(struct loop *loop, int timeout_ms)
{
	int uv_limit;

	if (timeout_ms == 0 || loop->finished.count > 0 || loop->uv_readable)
		return 0;
	uv_update_time(&loop->uv);
	uv_limit = uv_backend_timeout(&loop->uv);
	if (uv_limit < 0 || (timeout_ms > 0 && timeout_ms < uv_limit))
		return timeout_ms;
	return uv_limit;
}

/* Runs libuv if its descriptor is readable, a timer is due, or it has something to close or to
 * begin. */
static void turn_uv(struct loop *loop)
{
	uv_update_time(&loop->uv);
	if (!loop->uv_readable && uv_backend_timeout(&loop->uv) != 0)
		return;
	loop->uv_readable = false;
	uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void loop_pass_time(struct loop *loop)
{
	loop->passes_time = true;
	loop->now = uv_now(&loop->uv);
}

void loop_turn(struct loop *loop, int timeout_ms)
{
	if (loop->passes_time && timeout_ms > 0) {
		loop->now += (uint64_t)timeout_ms;
		timeout_ms = 0;
	}
	loop->backend->wait(loop, wait_limit(loop, timeout_ms));
	turn_uv(loop);
	deliver(loop);
}

void loop_submit(struct loop *loop)
{
	if (loop->backend->submit)
		loop->backend->submit(loop);
	deliver(loop);
}

static void begin(
	struct loop *loop, struct io_operation *operation, enum operation_kind kind, int fd)
{
	assert(!operation->in_flight);
	assert(operation->done);
	operation->in_flight = true;
	operation->loop = loop;
	operation->fd = fd;
	operation->kind = (uint8_t)kind;
	operation->private_data = NULL;
	loop->in_flight++;
}

static void start(
	struct loop *loop, struct io_operation *operation, enum operation_kind kind, int fd)
{
	begin(loop, operation, kind, fd);
	loop->backend->start(loop, operation);
}

static void set_pieces(struct io_operation *operation, const struct iovec *pieces, uint32_t count)
{
	assert(count <= IO_MOST_PIECES);
	operation->pieces = pieces;
	operation->piece_count = count;
}

void io_poll(struct loop *loop, struct io_operation *operation, int fd, uint32_t events)
{
	operation->events = events;
	start(loop, operation, OPERATION_POLL, fd);
}

void io_send(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count)
{
	set_pieces(operation, pieces, count);
	start(loop, operation, OPERATION_SEND, fd);
}

void io_write(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count)
{
	set_pieces(operation, pieces, count);
	start(loop, operation, OPERATION_WRITE, fd);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* How often this thread has waited for something, not counting that it was made to let others run. */
static long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

void io_write_at_once(struct loop *loop, struct io_operation *operation, struct pace *pace, int fd,
	const struct iovec *pieces, uint32_t count)
{
	uint64_t now = clock_ns();
	long before = sleeps();
	int result;

	if (!pace_is_quick(pace, now)) {
		io_write(loop, operation, fd, pieces, count);
		return;
	}
	set_pieces(operation, pieces, count);
	begin(loop, operation, OPERATION_WRITE, fd);
	result = attempt_write_file(operation);
	if (sleeps() > before)
		pace_took(pace, now, clock_ns());
	loop_finish_later(loop, operation, result);
}

void io_read(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count, uint64_t offset)
{
	set_pieces(operation, pieces, count);
	operation->offset = offset;
	start(loop, operation, OPERATION_READ, fd);
}

void io_sync(struct loop *loop, struct io_operation *operation, int fd)
{
	start(loop, operation, OPERATION_SYNC, fd);
}

void io_cancel(struct io_operation *operation)
{
	if (!operation->in_flight || operation->kind & (OPERATION_CANCELLED | OPERATION_FINISHED))
		return;
	operation->kind |= OPERATION_CANCELLED;
	operation->loop->backend->cancel(operation->loop, operation);
}
