/* Attempts: the system calls of the epoll backend. Results are bytes or −errno. */
#pragma once

#include "pipeline/io/loop.h"

#include <sys/stat.h>

/* The descriptor's type, S_IFREG for instance; 0 if it is not open. */
mode_t attempt_type(int fd);

/* Sends without blocking. −EAGAIN: wait for POLLOUT. */
int attempt_send(const struct io_operation *operation);

/* Writes without blocking to a pipe, terminal or socket. −EAGAIN: wait for POLLOUT. −EOPNOTSUPP:
 * this file knows no writing without blocking (a regular file; a terminal; a pipe before Linux
 * 6.4). */
int attempt_write(const struct io_operation *operation);

/* Reads what lies in the page cache. −EAGAIN, −EOPNOTSUPP: only a thread may wait for it. */
int attempt_read(const struct io_operation *operation);

/* Writes to a regular file, however long that takes. */
int attempt_write_file(const struct io_operation *operation);

/* For threads. To a regular file all is written; to others at most what fits once they have been
 * polled writable, so that no thread blocks for ever on a reader that has stopped. */
int attempt_write_blocking(const struct io_operation *operation);
int attempt_read_blocking(const struct io_operation *operation);
