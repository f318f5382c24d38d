/* The loop: one a worker. It waits for the kernel and calls back; two backends do the same thing.
 *
 *   uring   the ring is the wait; libuv's backend descriptor is polled inside it
 *   epoll   an epoll set is the wait; libuv's backend descriptor lies in it; files go through libuv's threads
 *
 * What is asked for is an `io_operation`, embedded in its owner. It is in flight from the call until `done` is called,
 * which happens exactly once, from loop_turn() or loop_submit() and never from within the asking call. Until then the operation, its
 * iovec's memory and its descriptor must stay. `done` may ask for the next operation at once.
 *
 * Receiving is by readiness on both: see pipeline/io/inbox.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct uv_loop_s;
struct loop;
struct pace;

enum loop_wish { LOOP_AUTO, LOOP_URING, LOOP_EPOLL };

enum { IO_MOST_PIECES = 1024 }; /* IOV_MAX */

struct io_operation {
	/* `result`: as of the system call: bytes, the poll events, or −errno (−ECANCELED after io_cancel()). */
	void (*done)(struct io_operation *operation, int result);
	void *owner;
	bool in_flight;

	/* The backend's own. */
	struct loop *loop;
	int fd;
	uint8_t kind;
	uint32_t events;
	const struct iovec *pieces;
	uint32_t piece_count;
	uint64_t offset;
	void *private_data;
	struct io_operation *previous, *next;
};

/* A loop with the backend that was wished for; AUTO takes epoll where there is no io_uring. NULL with `why` (a static or
 * loop-owned text such as "io_uring_setup: Operation not permitted") if it can't be had. Where AUTO fell back, `why`
 * gets the reason too, otherwise NULL. */
struct loop *loop_create(enum loop_wish wish, const char **why);

/* Nothing may be in flight. NULL is allowed. */
void loop_destroy(struct loop *loop);

/* "uring" or "epoll". */
const char *loop_backend(const struct loop *loop);

/* libuv's loop, for signals, timers, names and file watching. */
struct uv_loop_s *loop_uv(struct loop *loop);

/* Submits what was asked for, waits at most `timeout_ms` (−1: until something happens, 0: not at all) and calls back
 * for all that has happened. EINTR counts as something. */
void loop_turn(struct loop *loop, int timeout_ms);

/* Submits what was asked for and calls back for what that has ended at once, without looking for anything else. Not to
 * be called from a `done`. */
void loop_submit(struct loop *loop);

/* Milliseconds of the monotonic clock as of the last turn. */
uint64_t loop_now(const struct loop *loop);

/* From now on the clock stands still, but for what a turn would wait: that passes at once. For rehearsals: timers come in
 * their order, and nobody waits for them. */
void loop_pass_time(struct loop *loop);

/* Waits once for `events` (POLLIN, POLLOUT; POLLHUP and POLLERR always count). A descriptor that cannot be polled (a
 * regular file) is ready at once. At most one wait for input and one for output a descriptor. */
void io_poll(struct loop *loop, struct io_operation *operation, int fd, uint32_t events);

/* Sends on a connected socket, MSG_NOSIGNAL; one operation in flight a socket. May send a part. */
void io_send(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count);

/* Writes to a file opened with O_APPEND, or to a pipe, terminal or socket that stands for standard output. One in
 * flight a file. May write a part. −EAGAIN is possible for a pipe that another made non-blocking: io_poll() it. */
void io_write(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count);

/* As io_write(), to a regular file, but on this thread, before it returns, as long as that is quick (`pace` is the file's).
 * `done` comes from the next turn nevertheless, which does not wait. Only for who keeps nobody waiting: the loop stands
 * still meanwhile, and a file system that hangs holds it. */
void io_write_at_once(struct loop *loop, struct io_operation *operation, struct pace *pace, int fd,
	const struct iovec *pieces, uint32_t count);

/* Reads a regular file from `offset` (UINT64_MAX: where it stands) into several buffers. */
void io_read(struct loop *loop, struct io_operation *operation, int fd, const struct iovec *pieces,
	uint32_t count, uint64_t offset);

/* fdatasync(2). */
void io_sync(struct loop *loop, struct io_operation *operation, int fd);

/* Asks an operation in flight to end soon. Its `done` is called with −ECANCELED, or with its result where that came
 * first. What was partly sent cannot be known then. Not in flight: nothing happens. */
void io_cancel(struct io_operation *operation);
