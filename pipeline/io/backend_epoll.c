/* The epoll backend: an epoll set is the wait, with libuv's descriptor in it.
 *
 * What can be done at once is done by the asking call, and its result delivered by the next turn,
 * which does not wait. What must wait for a descriptor is a watch; what may block is a job on
 * libuv's threads. A cancelled job ends with its result if a thread has begun with it.
 */

#include "pipeline/io/attempt.h"
#include "pipeline/io/backend.h"
#include "pipeline/io/jobs.h"
#include "pipeline/io/watches.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_A_WAIT = 256 };

struct epoll {
	struct watches watches;
	struct jobs jobs;
	struct epoll_event events[EVENTS_A_WAIT];
};

static bool epoll_open(struct loop *loop, const char **why)
{
	struct epoll *epoll = loop->state;
	int uv = uv_backend_fd(&loop->uv);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = uv };

	epoll->watches.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll->watches.epoll < 0) {
		*why = loop_reason("epoll_create1", errno);
		return false;
	}
	if (epoll_ctl(epoll->watches.epoll, EPOLL_CTL_ADD, uv, &event) < 0) {
		*why = loop_reason("epoll_ctl", errno);
		close(epoll->watches.epoll);
		return false;
	}
	return true;
}

static void epoll_close(struct loop *loop)
{
	struct epoll *epoll = loop->state;

	jobs_close(&epoll->jobs);
	watches_close(&epoll->watches);
	close(epoll->watches.epoll);
}

static void start_job(struct loop *loop, struct io_operation *operation)
{
	struct epoll *epoll = loop->state;
	int answer = jobs_start(&epoll->jobs, loop, operation);

	if (answer < 0)
		loop_finish_later(loop, operation, answer);
}

/* What cannot be polled is ready: a poll ends, a write goes on where it may block. */
static void be_ready(struct loop *loop, struct io_operation *operation)
{
	if (operation_kind(operation) == OPERATION_POLL)
		loop_finish_later(loop, operation, (int)operation->events);
	else
		start_job(loop, operation);
}

static void watch(struct loop *loop, struct io_operation *operation)
{
	struct epoll *epoll = loop->state;
	int answer = watches_add(&epoll->watches, operation);

	if (answer == -EPERM)
		be_ready(loop, operation);
	else if (answer < 0)
		loop_finish_later(loop, operation, answer);
}

static void watch_output(struct loop *loop, struct io_operation *operation)
{
	operation->events = POLLOUT;
	watch(loop, operation);
}

static void start_send(struct loop *loop, struct io_operation *operation)
{
	int result = attempt_send(operation);

	if (result == -EAGAIN)
		watch_output(loop, operation);
	else
		loop_finish_later(loop, operation, result);
}

/* Where writing without blocking is unknown, POLLOUT comes before the thread; a regular file has
 * no such thing and goes there at once. */
static void start_write(struct loop *loop, struct io_operation *operation)
{
	int result = attempt_write(operation);

	if (result == -EAGAIN || result == -EOPNOTSUPP)
		watch_output(loop, operation);
	else
		loop_finish_later(loop, operation, result);
}

static void continue_write(struct loop *loop, struct io_operation *operation)
{
	int result = attempt_write(operation);

	if (result == -EOPNOTSUPP)
		start_job(loop, operation);
	else if (result == -EAGAIN)
		watch_output(loop, operation);
	else
		loop_finish_later(loop, operation, result);
}

static void start_read(struct loop *loop, struct io_operation *operation)
{
	int result = attempt_read(operation);

	if (result == -EAGAIN || result == -EOPNOTSUPP)
		start_job(loop, operation);
	else
		loop_finish_later(loop, operation, result);
}

static void epoll_start(struct loop *loop, struct io_operation *operation)
{
	switch (operation_kind(operation)) {
	case OPERATION_POLL:
		watch(loop, operation);
		break;
	case OPERATION_SEND:
		start_send(loop, operation);
		break;
	case OPERATION_WRITE:
		start_write(loop, operation);
		break;
	case OPERATION_READ:
		start_read(loop, operation);
		break;
	case OPERATION_SYNC:
		start_job(loop, operation);
		break;
	}
}

static void epoll_cancel(struct loop *loop, struct io_operation *operation)
{
	struct epoll *epoll = loop->state;

	if (operation->private_data) {
		jobs_cancel(operation);
		return;
	}
	watches_remove(&epoll->watches, operation);
	loop_finish_later(loop, operation, -ECANCELED);
}

static void be_polled(struct loop *loop, struct io_operation *operation, uint32_t events)
{
	uint32_t seen = events & (operation->events | POLLERR | POLLHUP);

	switch (operation_kind(operation)) {
	case OPERATION_SEND:
		start_send(loop, operation);
		break;
	case OPERATION_WRITE:
		continue_write(loop, operation);
		break;
	default:
		loop_finish_later(loop, operation, seen ? (int)seen : POLLERR);
	}
}

static void dispatch(struct loop *loop, int fd, uint32_t events)
{
	struct epoll *epoll = loop->state;
	struct io_operation *ready[2];

	watches_take(&epoll->watches, fd, events, ready);
	for (int i = 0; i < 2; i++) {
		if (ready[i])
			be_polled(loop, ready[i], events);
	}
}

/* Nothing is called back from here: the loop delivers what this finishes. */
static void epoll_wait_once(struct loop *loop, int limit_ms)
{
	struct epoll *epoll = loop->state;
	int count = epoll_wait(epoll->watches.epoll, epoll->events, EVENTS_A_WAIT, limit_ms);

	assert(count >= 0 || errno == EINTR);
	for (int i = 0; i < count; i++) {
		if (epoll->events[i].data.fd == uv_backend_fd(&loop->uv))
			loop->uv_readable = true;
		else
			dispatch(loop, epoll->events[i].data.fd, epoll->events[i].events);
	}
}

const struct backend backend_epoll = {
	.name = "epoll",
	.state_size = sizeof(struct epoll),
	.open = epoll_open,
	.close = epoll_close,
	.start = epoll_start,
	.cancel = epoll_cancel,
	.wait = epoll_wait_once,
};
