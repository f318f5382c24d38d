/* Watches: who waits for which descriptor in the epoll set, at most one for input and one for
 * output.
 *
 * A descriptor is armed for one event at a time (EPOLLONESHOT), and stays in the set, disarmed,
 * until it is closed. What is remembered of it may be out of date, as the number is used again
 * without notice: the kernel's answer decides. The table is indexed by the descriptor; it grows
 * when a higher number than ever before is watched, and only then.
 */
#pragma once

#include "pipeline/io/loop.h"

struct watch {
	struct io_operation *input, *output;
	bool known; /* probably in the set */
};

struct watches {
	int epoll;
	struct watch *table;
	uint32_t count;
};

void watches_close(struct watches *watches);

/* Waits for the operation's `events` on its `fd`. −EPERM: this descriptor cannot be polled;
 * other −errno likewise, and nothing is changed. */
int watches_add(struct watches *watches, struct io_operation *operation);

/* Ends that wait. */
void watches_remove(struct watches *watches, struct io_operation *operation);

/* Takes out the operations that `events` on `fd` answer, into `ready` (at most two; the rest
 * NULL), and arms the descriptor again for who still waits. An operation that this fails for is
 * taken out too. */
void watches_take(struct watches *watches, int fd, uint32_t events, struct io_operation *ready[2]);
