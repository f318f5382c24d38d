/* Jobs: operations of the epoll backend that may block, on libuv's threads.
 *
 * Jobs are kept and used again; one is allocated only when more are under way at once than ever
 * before.
 */
#pragma once

#include "pipeline/io/loop.h"

struct job;

struct jobs {
	struct job *free;
};

void jobs_close(struct jobs *jobs);

/* Runs the operation on a thread, and finishes it from libuv's loop. −ENOMEM, and nothing done,
 * if there is no memory. */
int jobs_start(struct jobs *jobs, struct loop *loop, struct io_operation *operation);

/* Takes the operation back if no thread has begun with it. Otherwise it ends with its result: a
 * thread in a system call cannot be called back. */
void jobs_cancel(struct io_operation *operation);
