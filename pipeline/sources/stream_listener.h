/* Stream listeners: what the sources have in common that accept connections, whatever the address is.
 *
 * All connections share the source's current buffer, so ten thousand that trickle pin one, not ten thousand. A
 * connection is left when the end of its stream has been put.
 */
#pragma once

#include "pipeline/io/listener.h"
#include "pipeline/node.h"
#include "pipeline/sources/connections.h"
#include "pipeline/sources/networks.h"

struct stream_listener {
	/* Set before it is opened. */
	uint64_t max_connections;
	uint64_t idle_timeout; /* ms; 0: connections may be silent for ever */
	struct networks allow;

	/* Its own. */
	uint32_t lowered;        /* max_connections, for what stands behind; 0: as it is */
	const char *lowered_why; /* static */
	struct node *node;
	struct listener listener;
	struct connections connections;
	struct buffer *buffer; /* what is received next goes behind what is published */
	uint64_t accept_at;    /* accepting pauses until then; 0: it does not */
	uint64_t sweep_at;     /* silent connections are looked for then */
	struct log_gate trouble_gate, full_gate, refused_gate, idle_gate;

	bool served_eager; /* the round before had one that brings much */
	bool draining, halted;
	uint64_t deadline; /* draining */
};

/* Makes the table of connections, for as many as descriptors allow. False with a fault. The owner then opens or adopts
 * the sockets of `listener`, and begins. */
bool stream_listener_open(struct stream_listener *source, struct node *node, struct faults *faults);
void stream_listener_begin(struct stream_listener *source);

/* What a source's ops do. */
void stream_listener_read(struct stream_listener *source, struct batch *out);
void stream_listener_drain(struct stream_listener *source, uint64_t deadline);
bool stream_listener_rest(struct stream_listener *source);
void stream_listener_halt(struct stream_listener *source);
void stream_listener_close(struct stream_listener *source);

/* Both sides are told that the stream is over; what waits in the kernel is still read, and then the end. */
void stream_listener_refuse(struct stream_listener *source, uint32_t stream);

/* max_connections, or fewer for what stands behind. */
uint32_t stream_listener_most(const struct stream_listener *source, uint64_t max_connections);

/* What they plan, for stream_listener_most() connections. */
void stream_listener_plan(uint32_t most, struct node *node, struct shape *out);

/* As `lower` of source_ops. */
bool stream_listener_lower(struct stream_listener *source, const struct node *node,
	uint32_t connections, const char *why);
