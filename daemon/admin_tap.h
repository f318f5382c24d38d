/* GET /tap?node=NAME, at the unix socket: samples of what leaves the node, as they come, until the viewer goes.
 *
 *     text=TEXT    only what contains it          all=1   not only 100 a second
 *     count=N      the first N, then the end
 *
 * The body is items, each a line and what it announces:
 *
 *     s CONTENT SIZE STORED WHOLE⏎ … ⏎    a sample: STORED bytes, of WHOLE; its content are SIZE of them, from CONTENT
 *     n TEXT⏎                             a notice
 *     e TEXT⏎                             why it ends; no text: all that were asked for have come
 */
#pragma once

#include "daemon/admin_server.h"

/* A response that gives the items; NULL, with the status and the reason, if there is none. */
struct MHD_Response *admin_tap(struct admin *admin, struct MHD_Connection *connection,
	unsigned *status, char *why, size_t size);
