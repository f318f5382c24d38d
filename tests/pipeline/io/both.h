/* What the tests of pipeline/io share: each body runs on both backends. */
#pragma once

#include "pipeline/io/loop.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_TURNS = 100000, LONG_WAIT_MS = 8000 };

/* An operation and how often, and with what, it ended. */
struct probe {
	struct io_operation operation; /* first */
	int ends;
	int result;
};

static inline void probe_end(struct io_operation *operation, int result)
{
	struct probe *probe = (struct probe *)operation;

	cr_assert(!operation->in_flight);
	probe->ends++;
	probe->result = result;
}

static inline struct probe probe_make(void)
{
	return (struct probe){ .operation = { .done = probe_end } };
}

/* Turns until the probe has ended `ends` times. */
static inline void turn_until(struct loop *loop, const int *ends, int wanted)
{
	for (int i = 0; i < MOST_TURNS && *ends < wanted; i++)
		loop_turn(loop, LONG_WAIT_MS);
	cr_assert_eq(*ends, wanted);
}

/* Turns as often as the loop has something, without waiting; for showing that nothing comes. */
static inline void turn_briefly(struct loop *loop)
{
	for (int i = 0; i < 8; i++)
		loop_turn(loop, 1);
}

static inline int end_of(struct loop *loop, struct probe *probe)
{
	turn_until(loop, &probe->ends, 1);
	return probe->result;
}

/* The uring half is left out, aloud, where the kernel or a sandbox refuses rings. */
static inline void on_both(void (*body)(struct loop *loop))
{
	const enum loop_wish wishes[] = { LOOP_URING, LOOP_EPOLL };

	for (int i = 0; i < 2; i++) {
		const char *why;
		struct loop *loop = loop_create(wishes[i], &why);

		if (!loop && wishes[i] == LOOP_URING) {
			cr_log_warn("uring is left out: %s", why);
			continue;
		}
		cr_assert_not_null(loop);
		body(loop);
		loop_destroy(loop);
	}
}

/* A shell's usual limit is 1024 descriptors; what it may be raised to is more. */
static inline void raise_descriptors(rlim_t count)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_geq(limit.rlim_max, count);
	if (limit.rlim_cur < count)
		limit.rlim_cur = count;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static inline struct iovec piece_of(const void *data, size_t size)
{
	return (struct iovec){ .iov_base = (void *)data, .iov_len = size };
}

static inline void socket_pair(int sockets[2])
{
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
}

static inline int temporary_file(int flags)
{
	char path[] = "/tmp/viewduct-io-XXXXXX";
	int fd = mkostemp(path, flags | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	unlink(path);
	return fd;
}
