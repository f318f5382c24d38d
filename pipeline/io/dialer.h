/* Dialers: a name and a port, or a path, on the way to a connected socket.
 *
 * The name is looked up on each attempt (on libuv's threads; a number needs none), then each of its addresses is tried
 * in turn, without blocking. An attempt ends in one call of `done`: with a socket, which is the caller's from then on,
 * or with why the last address did not answer.
 */
#pragma once

#include "pipeline/io/loop.h"

#include <uv.h>

struct addrinfo;

struct dialer {
	struct loop *loop;
	const char *host;
	uint16_t port;
	const char *
		path; /* of a unix socket, of at most UNIX_PATH_MOST bytes, instead of host and port */
	int type;     /* SOCK_DGRAM; 0: SOCK_STREAM */
	/* A connected, non-blocking socket, or the reason: dialer_reason(). May come from within dialer_dial(). */
	void (*done)(struct dialer *dialer, int result);
	void *owner;

	/* The dialer's own. */
	bool busy; /* an attempt is under way: its memory must stay */
	bool cancelled;
	uv_getaddrinfo_t lookup;
	bool looking_up;
	struct addrinfo *addresses, *address;
	struct io_operation poll;
	int fd;
	int error; /* −errno of the last address */
};

/* Begins an attempt; none is under way. */
void dialer_dial(struct dialer *dialer);

/* Gives up the address that does not answer and tries the next, if there is one. Looking up goes on. */
void dialer_skip(struct dialer *dialer);

/* Ends the attempt soon: `done` gets −ECANCELED. Without one nothing happens. */
void dialer_cancel(struct dialer *dialer);

/* The text of a reason. */
const char *dialer_reason(int result);
