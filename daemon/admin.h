/* The admin server: a running daemon can be asked how it does, over HTTP.
 *
 *     GET /metrics /health /ready /status /     at an address (loopback unless allowed) and at a unix socket
 *     GET /tap, POST /reopen /reload            at the unix socket only
 *
 * It runs on threads of its own (libmicrohttpd; at the socket one a connection, as some answers take their time) and
 * touches no pipeline: workers are asked for copies of their counters.
 * Requests are bounded: so many connections, so much memory and time for each; at the address the Host must be one that
 * no foreign page can name.
 */
#pragma once

#include "daemon/control.h"
#include "daemon/status.h"
#include "daemon/workers.h"

#include <stdatomic.h>

/* Where it is to be found if nothing else is said. */
#define ADMIN_USUAL_HOST "127.0.0.1"
#define ADMIN_USUAL_SOCKET "/run/viewduct/admin.sock"
#define ADMIN_USUAL_NAME "viewduct.sock" /* in $XDG_RUNTIME_DIR, for who is not root */
enum { ADMIN_USUAL_PORT = 9464 };

struct admin;

/* What the daemon does when it is asked to, on the server's thread. */
struct admin_commands {
	void *context;
	void (*reopen)(void *context);
	/* Waits for what comes of it: true if the new configuration runs. As control_wait(). */
	bool (*reload)(void *context, char outcome[CONTROL_TEXT], char **details);
};

/* Begins to serve. What was named in the configuration and cannot be had is a fault; what is usual and cannot be had is
 * only warned of. False with faults. `admin` stays NULL where nothing is to be served, or nothing could be. */
bool admin_open(struct admin **admin, const struct admin_options *options, struct workers *workers,
	const struct admin_commands *commands, struct log *log, struct faults *faults);

/* What came of a reload: it is told from now on. NULL is allowed. */
void admin_tell(struct admin *admin, uint64_t generation, uint64_t failures, bool good,
	const char *outcome, int64_t at);

/* A reload is under way, and waits for these sinks; NULL: for none, so far. NULL is allowed for `admin`, too. */
void admin_tell_reloading(struct admin *admin, const char *waits_for);

/* Answers what has been asked, and ends. NULL is allowed. */
void admin_close(struct admin *admin);
