/* Signals, as events of the loop: TERM and INT ask to end, HUP and USR1 to reopen, HUP to reload too; PIPE and
 * USR2 are ignored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop;

enum { SIGNALS_WATCHED = 4 };

struct signals {
	uv_signal_t watchers[SIGNALS_WATCHED];
	struct loop *loop;
	uint32_t open;       /* watchers that are not closed yet */
	uint32_t ends;       /* how often the end was asked for */
	bool reopen, reload; /* asked for, and not done yet; whoever does it clears it */
};

/* Begins to watch. Call before anything is opened: a signal that comes meanwhile waits for the first turn. */
bool signals_open(struct signals *signals, struct loop *loop);

/* Stops watching, and turns the loop until libuv has let go of the watchers. Zeroed signals are allowed. */
void signals_close(struct signals *signals);
