/* Connectors: a connected socket for a sink, again and again.
 *
 * Failing is never fatal: each address of the list is tried, its name looked up anew, then comes a pause that grows, and
 * so on for ever. What changes is said once.
 *
 *     PAUSING ◀──▶ DIALING ──▶ CONNECTED ──lost──▶ PAUSING
 *        └────────────┴──────stop──────┴─────────▶ STOPPED
 */
#pragma once

#include "pipeline/io/dialer.h"
#include "pipeline/node.h"
#include "pipeline/sinks/retry.h"
#include "pipeline/sinks/trouble.h"

enum connector_phase {
	CONNECTOR_STOPPED,
	CONNECTOR_PAUSING,
	CONNECTOR_DIALING,
	CONNECTOR_CONNECTED
};

struct connector {
	/* Set before it begins. */
	struct node *node;
	struct retry retry;
	uint64_t timeout;                /* ms, to connect to one address */
	int type;                        /* SOCK_STREAM, SOCK_DGRAM */
	const struct address *addresses; /* either these */
	const char *const *paths;        /* or these: unix sockets */
	size_t count;
	void (*connected)(void *owner, int fd); /* the socket is the owner's from now on */
	void *owner;

	/* Its own. */
	enum connector_phase phase;
	uint64_t at; /* PAUSING: until then; DIALING: an address has until then */
	struct dialer dialer;
	size_t target, failed; /* addresses in a row that did not answer */
	struct pauses pauses;
	uint64_t up_since;
	struct trouble trouble; /* while it is down */
};

/* Dials for the first time. */
void connector_begin(struct connector *connector);

/* Does what is due: called whenever the node is. While it is not connected, it keeps node->due. */
void connector_keep_time(struct connector *connector);

/* The connection is over, and closed: pauses, then tries again, beginning with the next address. */
void connector_lost(struct connector *connector, const char *reason);

/* Tries no more. It is STOPPED at once, or when its attempt has ended: the node is woken then. */
void connector_stop(struct connector *connector);

/* How the targets are named in logs and in `explain`: the first, and how many more. */
void connector_describe(const struct connector *connector, char *text, size_t size);
