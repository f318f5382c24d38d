/* The uring backend: the ring is the wait.
 *
 * An operation is a request whose user data is the operation's address. libuv's descriptor is
 * watched by a one-shot poll, armed again before each wait that finds it disarmed: a multishot poll
 * reports a readiness once and would stall where libuv leaves some of it for later.
 *
 * A request that finds the submission queue full submits it first. If the kernel takes none just
 * then (EBUSY, EAGAIN: no memory for them), the operation waits in a list and is asked for again in
 * the next turn. Completions never get lost: the kernel keeps those that the completion queue has
 * no room for (IORING_FEAT_NODROP).
 */

#include "pipeline/io/backend_uring.h"

#include "pipeline/io/attempt.h"
#include "pipeline/io/backend.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

/* Values of user data that are no operation's address. */
enum { NOBODY = 0, LIBUV = 1 };

enum { CANCEL_AGAIN_MS = 20 };

static bool uring_open(struct loop *loop, const char **why)
{
	struct uring *uring = loop->state;

	return backend_uring_set_up(&uring->ring, why);
}

static void uring_close(struct loop *loop)
{
	struct uring *uring = loop->state;

	io_uring_queue_exit(&uring->ring);
}

/* What the kernel may answer that is no bug: an interruption, a passed time, no memory or no
 * room just now. */
static void check_answer(int answer)
{
	assert(answer >= 0 || answer == -EINTR || answer == -ETIME || answer == -EAGAIN ||
		answer == -EBUSY || answer == -ENOMEM);
}

/* A free request; NULL if there is none even after the others were submitted. */
static struct io_uring_sqe *take_request(struct uring *uring)
{
	struct io_uring_sqe *request = io_uring_get_sqe(&uring->ring);

	if (request)
		return request;
	check_answer(io_uring_submit(&uring->ring));
	return io_uring_get_sqe(&uring->ring);
}

/* The message header of a request. It must last until the kernel has taken the request, which is
 * as long as the request's own place in the queue is not used again (IORING_FEAT_SUBMIT_STABLE). */
static struct msghdr *message_of(struct uring *uring, const struct io_uring_sqe *request,
	const struct io_operation *operation)
{
	struct msghdr *message = &uring->messages[request - uring->ring.sq.sqes];

	*message = (struct msghdr){
		.msg_iov = (struct iovec *)operation->pieces,
		.msg_iovlen = operation->piece_count,
	};
	return message;
}

/* A blocking pipe or terminal goes to a kernel thread at once: the kernel takes one that is
 * writable for one that does not block, writes from within io_uring_enter(2), and there waits
 * for its reader. */
static bool may_block(int fd)
{
	mode_t type = attempt_type(fd);

	return type == S_IFIFO || type == S_IFCHR;
}

static void fill_request(
	struct uring *uring, struct io_uring_sqe *request, struct io_operation *operation)
{
	int fd = operation->fd;

	switch (operation_kind(operation)) {
	case OPERATION_POLL:
		io_uring_prep_poll_add(request, fd, operation->events);
		break;
	case OPERATION_SEND:
		io_uring_prep_sendmsg(
			request, fd, message_of(uring, request, operation), MSG_NOSIGNAL);
		break;
	case OPERATION_WRITE:
		io_uring_prep_writev(
			request, fd, operation->pieces, operation->piece_count, UINT64_MAX);
		request->flags |= may_block(fd) ? IOSQE_ASYNC : 0;
		break;
	case OPERATION_READ:
		io_uring_prep_readv(
			request, fd, operation->pieces, operation->piece_count, operation->offset);
		break;
	case OPERATION_SYNC:
		io_uring_prep_fsync(request, fd, IORING_FSYNC_DATASYNC);
		break;
	}
	io_uring_sqe_set_data(request, operation);
}

static void wait_for_room(struct uring *uring, struct io_operation *operation)
{
	operation->kind |= OPERATION_LISTED;
	operation_list_append(&uring->waiting, operation);
}

static void leave_list(struct uring *uring, struct io_operation *operation)
{
	operation->kind &= (uint8_t)~OPERATION_LISTED;
	operation_list_remove(&uring->waiting, operation);
}

static void uring_start(struct loop *loop, struct io_operation *operation)
{
	struct uring *uring = loop->state;
	struct io_uring_sqe *request = take_request(uring);

	if (!request) {
		wait_for_room(uring, operation);
		return;
	}
	fill_request(uring, request, operation);
	operation->kind |= OPERATION_SUBMITTED;
	uring->moves |= operation_kind(operation) != OPERATION_POLL;
}

/* Requests are taken in order, so this cannot hit the operation's next use. A request that is just being handed to a
 * kernel thread may be missed: it is asked for again, until the operation has ended. */
static void submit_cancel(struct uring *uring, struct io_operation *operation)
{
	struct io_uring_sqe *request = take_request(uring);

	if (!request) {
		wait_for_room(uring, operation);
		return;
	}
	io_uring_prep_cancel(request, operation, 0);
	io_uring_sqe_set_data64(request, NOBODY);
	operation->kind |= OPERATION_CANCELLING;
	operation_list_append(&uring->cancelling, operation);
}

static void leave_cancelling(struct uring *uring, struct io_operation *operation)
{
	operation->kind &= (uint8_t)~OPERATION_CANCELLING;
	operation_list_remove(&uring->cancelling, operation);
}

/* Asks once more for what has not ended. How long the wait may last until the next time. */
static int cancel_again(struct loop *loop, int limit_ms)
{
	struct uring *uring = loop->state;
	uint64_t now = loop_now(loop);

	if (uring->cancelling.count == 0)
		uring->cancel_again = 0;
	else if (uring->cancel_again == 0)
		uring->cancel_again = now + CANCEL_AGAIN_MS;
	else if (now >= uring->cancel_again) {
		for (uint32_t left = uring->cancelling.count; left > 0; left--) {
			struct io_operation *operation = uring->cancelling.first;

			leave_cancelling(uring, operation);
			submit_cancel(uring, operation);
		}
		uring->cancel_again = now + CANCEL_AGAIN_MS;
	}
	if (uring->cancelling.count > 0 && (limit_ms < 0 || limit_ms > CANCEL_AGAIN_MS))
		return CANCEL_AGAIN_MS;
	return limit_ms;
}

static void uring_cancel(struct loop *loop, struct io_operation *operation)
{
	struct uring *uring = loop->state;

	if (operation->kind & OPERATION_SUBMITTED) {
		submit_cancel(uring, operation);
		return;
	}
	leave_list(uring, operation);
	loop_finish_later(loop, operation, -ECANCELED);
}

/* Asks again for what found no room. */
static void retry_waiting(struct loop *loop)
{
	struct uring *uring = loop->state;
	uint32_t left = uring->waiting.count;

	while (left--) {
		struct io_operation *operation = uring->waiting.first;

		leave_list(uring, operation);
		if (operation->kind & OPERATION_SUBMITTED)
			submit_cancel(uring, operation);
		else
			uring_start(loop, operation);
	}
}

static void watch_libuv(struct loop *loop)
{
	struct uring *uring = loop->state;
	struct io_uring_sqe *request;

	if (uring->watches_libuv)
		return;
	request = take_request(uring);
	if (!request)
		return;
	io_uring_prep_poll_add(request, uv_backend_fd(&loop->uv), POLLIN);
	io_uring_sqe_set_data64(request, LIBUV);
	uring->watches_libuv = true;
}

/* Submits, and waits for a completion. liburing 2.3 would wait twice if a wait that also submits
 * runs out of time; so a bounded wait submits first, and is entered with nothing left to submit. */
static int submit_and_wait(struct io_uring *ring, int limit_ms)
{
	struct __kernel_timespec limit = { limit_ms / 1000, limit_ms % 1000 * 1000000LL };
	struct io_uring_cqe *completion;
	int answer;

	if (limit_ms < 0)
		return io_uring_submit_and_wait(ring, 1);
	answer = io_uring_submit_and_get_events(ring);
	if (limit_ms == 0 || answer < 0 || io_uring_cq_ready(ring) > 0)
		return answer;
	return io_uring_submit_and_wait_timeout(ring, &completion, 1, &limit, NULL);
}

/* An interrupted operation (one that blocked on a kernel thread) has been cancelled too. */
static void finish(struct loop *loop, struct io_operation *operation, int result)
{
	if (operation->kind & OPERATION_LISTED)
		leave_list(loop->state, operation);
	if (operation->kind & OPERATION_CANCELLING)
		leave_cancelling(loop->state, operation);
	if (operation->kind & OPERATION_CANCELLED && result == -EINTR)
		result = -ECANCELED;
	loop_finish(loop, operation, result);
}

static void complete(struct loop *loop, uint64_t user_data, int result)
{
	struct uring *uring = loop->state;

	switch (user_data) {
	case NOBODY: /* a cancel: whether it found something shows in what it cancelled */
		break;
	case LIBUV:
		uring->watches_libuv = false;
		loop->uv_readable = true;
		break;
	default:
		finish(loop, (struct io_operation *)(uintptr_t)user_data, result);
	}
}

static void reap(struct loop *loop)
{
	struct uring *uring = loop->state;
	struct io_uring_cqe *completion;

	for (uint32_t left = URING_COMPLETIONS; left > 0; left--) {
		uint64_t user_data;
		int result;

		if (io_uring_peek_cqe(&uring->ring, &completion) != 0)
			return;
		user_data = completion->user_data;
		result = completion->res;
		io_uring_cqe_seen(&uring->ring, completion);
		complete(loop, user_data, result);
	}
}

/* Polls are in no hurry: they go with what moves bytes, or with the wait. */
static void uring_submit(struct loop *loop)
{
	struct uring *uring = loop->state;

	if (!uring->moves)
		return;
	uring->moves = false;
	check_answer(io_uring_submit_and_get_events(&uring->ring));
	reap(loop);
}

static void uring_wait(struct loop *loop, int limit_ms)
{
	struct uring *uring = loop->state;

	retry_waiting(loop);
	limit_ms = cancel_again(loop, limit_ms);
	watch_libuv(loop);
	if (uring->waiting.count > 0 || !uring->watches_libuv)
		limit_ms = 0;
	uring->moves = false;
	check_answer(submit_and_wait(&uring->ring, limit_ms));
	reap(loop);
}

const struct backend backend_uring = {
	.name = "uring",
	.state_size = sizeof(struct uring),
	.open = uring_open,
	.close = uring_close,
	.start = uring_start,
	.cancel = uring_cancel,
	.submit = uring_submit,
	.wait = uring_wait,
};
