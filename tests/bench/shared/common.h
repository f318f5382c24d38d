/* What the bench's programs share: they end where something fails, tell the time, and meet on loopback. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* Says what failed and why (errno), and ends the program. */
noreturn void fail(const char *what);

/* `result`, which is not negative; or the end. */
long must(long result, const char *what);

/* Nanoseconds of the monotonic clock, which all processes share. */
uint64_t now(void);

/* Until now() is `time`. */
void sleep_until(uint64_t time);

/* "NAME NANOSECONDS", at once. */
void say_time(const char *name, uint64_t time);

/* A whole number; the end where there is none. */
uint64_t number(const char *text);

/* A file's bytes, read-only. */
struct bytes {
	const char *data;
	size_t size;
};
struct bytes map_file(const char *path);

/* Sockets of 127.0.0.1; `type` is SOCK_STREAM or SOCK_DGRAM. */
int bound_to(uint64_t port, int type);
int listen_at(uint64_t port);
int connect_to(uint64_t port, int type);

/* The next connection. */
int accept_one(int listener);

/* All of `data`, to a blocking descriptor. */
void write_all(int descriptor, const char *data, size_t size);

#endif
