/* Datagrams: what the sources have in common that receive them.
 *
 * A datagram is a short stream of its own: its bytes, and the end behind them, on the one stream number that such a
 * source has. So a split ends a record there, and who takes bytes gets them one behind the other.
 *
 * Several are received in one call. Each gets a slot of the current buffer, as large as datagrams have been lately, and
 * behind it fresh buffers, so that the largest one finds room; what is not used goes back at once.
 *
 *     current buffer   ...published│ slot 1 │ slot 2 │ slot 3 │
 *     fresh ones                     ▼        ▼        ▼
 */
#pragma once

#include "pipeline/io/inbox.h"
#include "pipeline/node.h"
#include "pipeline/sources/networks.h"

enum { DATAGRAM_MOST = 65535, DATAGRAM_SOCKETS = 8, DATAGRAM_LEAST_BUFFER = 256 };

struct datagram_socket {
	struct inbox_socket socket; /* first: the inbox hands it out */
	struct datagrams *datagrams;
	uint32_t kernel_dropped; /* as the kernel counts, when it was last seen */
};

struct reception; /* the arrays of one call */

struct datagrams {
	/* Set before it is opened. */
	void (*gone)(void *owner); /* no socket is used any more: close them */
	void *owner;
	struct networks allow;
	bool counted_elsewhere; /* what the kernel drops: another shard has the same sockets */

	/* Its own. */
	struct node *node;
	struct inbox inbox;
	struct datagram_socket sockets[DATAGRAM_SOCKETS];
	uint32_t count;        /* sockets that were added */
	uint32_t in_use;       /* of them, those that nothing of is over yet */
	struct buffer *buffer; /* what is received next goes behind what is published */
	struct reception *reception;
	uint32_t slot; /* bytes */
	struct log_gate trouble_gate, refused_gate, dropped_gate, long_gate;

	bool draining, left;
	uint64_t active,
		deadline; /* draining: when something came last, and when it ends at the latest */
};

/* Says what such a source gives, and what it costs. False with a fault where buffers are too small. */
bool datagrams_plan(struct node *node, struct shape *out, struct faults *faults);

/* Makes what it needs; then the owner adds its bound, non-blocking sockets, at most DATAGRAM_SOCKETS. */
bool datagrams_open(struct datagrams *datagrams, struct node *node, struct faults *faults);
void datagrams_add(struct datagrams *datagrams, int fd);

/* What a source's ops do. A call may bring more than the quota, by what the last datagrams are larger than expected. */
void datagrams_read(struct datagrams *datagrams, struct batch *out);
void datagrams_drain(struct datagrams *datagrams, uint64_t deadline);
void datagrams_halt(struct datagrams *datagrams);
void datagrams_close(struct datagrams *datagrams);

/* As `rest` of source_ops. */
bool datagrams_rest(struct datagrams *datagrams);
