/* What the loop and its two backends share. Only pipeline/io includes this.
 *
 * The loop keeps libuv, the operations that have finished, and the turn. A backend takes operations
 * up, waits for the kernel, and finishes them:
 *
 *   start ──▶ in the kernel ──▶ wait: loop_finish(), which calls `done`
 *        └──────▶ loop_finish_later() ──▶ delivered by this turn or the next
 */
#pragma once

#include "pipeline/io/loop.h"
#include "pipeline/io/operation_list.h"

#include <uv.h>

enum operation_kind {
	OPERATION_POLL,
	OPERATION_SEND,
	OPERATION_WRITE,
	OPERATION_READ,
	OPERATION_SYNC
};

/* `io_operation.kind` is one of these with any of the flags below. */
enum {
	OPERATION_KIND = 0x07,
	OPERATION_CANCELLING = 0x08, /* uring: the ring has been asked to cancel it */
	OPERATION_SUBMITTED = 0x10,  /* uring: the ring has it */
	OPERATION_LISTED = 0x20,     /* uring: it, or its cancel, waits for room in the ring */
	OPERATION_CANCELLED = 0x40,  /* io_cancel() was called */
	OPERATION_FINISHED = 0x80    /* its result is known and waits to be delivered */
};

struct backend {
	const char *name;
	size_t state_size;

	/* Opens on a zeroed state; libuv's loop is there. False with `why`, and nothing left
	 * open. */
	bool (*open)(struct loop *loop, const char **why);
	void (*close)(struct loop *loop);

	/* Takes up an operation whose fields are set. Must not call `done`. */
	void (*start)(struct loop *loop, struct io_operation *operation);

	/* Called once for an operation that is not finished. Must not call `done`. */
	void (*cancel)(struct loop *loop, struct io_operation *operation);

	/* Submits what was started and finishes what that has ended at once. NULL: starting it was all. */
	void (*submit)(struct loop *loop);

	/* Waits at most `limit_ms` (−1: without end) and finishes what has happened. Sets
	 * `uv_readable` where libuv has something to do. */
	void (*wait)(struct loop *loop, int limit_ms);
};

extern const struct backend backend_uring;
extern const struct backend backend_epoll;

struct loop {
	const struct backend *backend;
	void *state; /* the backend's */
	uv_loop_t uv;
	uv_check_t keeper; /* an active handle: without one uv_backend_timeout() is always 0 */
	bool uv_readable;  /* uv_run() has to be called */
	uint32_t in_flight;
	struct operation_list finished;
	bool passes_time; /* loop_pass_time() */
	uint64_t now;     /* then: the clock */
};

static inline enum operation_kind operation_kind(const struct io_operation *operation)
{
	return (enum operation_kind)(operation->kind & OPERATION_KIND);
}

/* Ends an operation: calls `done`. It may be gone afterwards. */
void loop_finish(struct loop *loop, struct io_operation *operation, int result);

/* Ends it with the next delivery: at the end of this turn, or in the next, which won't wait. */
void loop_finish_later(struct loop *loop, struct io_operation *operation, int result);

/* "call: error", in memory of the thread's that the next call overwrites. */
const char *loop_reason(const char *call, int error);
