/* Activation: the sockets that a service manager made, and passes to this process by name (sd_listen_fds(3)).
 *
 *     $LISTEN_PID       who they are for
 *     $LISTEN_FDS       how many there are: descriptors 3, 4 …
 *     $LISTEN_FDNAMES   logs:logs:metrics       what each is called; several may have one name
 *
 * They are taken over when the process starts, and stay open as long as it runs. Who listens on them gets descriptors of
 * its own: when it closes these, nobody else's are shut down, and the kernel's queues, which the service manager holds
 * too, stay for whoever comes next. All that follows is called by one thread at a time.
 */
#pragma once

#include "pipeline/io/listener.h"

enum { ACTIVATION_FIRST = 3 }; /* where a service manager puts them */

/* Takes over what the environment tells of, if it is for this process, and removes the variables. The descriptors begin
 * at `first`: ACTIVATION_FIRST, but for tests, which have something else there. */
void activation_take(int first);

/* Why there is nothing to listen on, and what to do about it. */
struct activation_fault {
	char text[256], remedy[768];
};

/* Instead of listener_open(): has the listener adopt the sockets of that name. They must all be of its type, and local
 * (unix) or not. False with `fault`; then nothing is open, and the listener is stopped. */
bool activation_listen(
	struct listener *listener, const char *name, bool local, struct activation_fault *fault);

/* Closes the next socket that nobody has listened on; its name, or NULL if there is none left. */
const char *activation_close_unused(void);

/* Closes all. */
void activation_close(void);
