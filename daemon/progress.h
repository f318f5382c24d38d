/* Progress: how far a run of finite input has come, on a terminal: done of all, rate, time left; five times a second. */
#pragma once

#include "daemon/log.h"

#include <uv.h>

struct loop;
struct plan;

struct progress {
	uv_timer_t timer;
	struct log *log;
	struct loop *loop;
	const struct plan *plan;
	uint64_t started; /* ms */
	bool open;
};

/* What is shown. */
struct progress_state {
	uint64_t done, all; /* bytes */
	uint64_t ms;        /* since the start */
};

/* "43 %  1.20 GB of 2.80 GB  812 MB/s  2s left". Returns `text`. */
char *progress_format(const struct progress_state *state, char text[128]);

/* Begins to show progress, if the log is a terminal, and standard output is not the terminal that a sink writes to. */
void progress_open(
	struct progress *progress, struct log *log, struct loop *loop, const struct plan *plan);

/* Removes the line, and turns the loop until libuv has let go of the timer. Zeroed progress is allowed. */
void progress_close(struct progress *progress);
