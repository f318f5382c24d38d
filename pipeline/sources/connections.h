/* Connections: the sockets of a source that listens, as slots of a table that is made once.
 *
 * A slot is free again when its socket is closed, which waits until nothing of it is in flight; so a stream's number
 * (the source's first and the slot) is used again only after its end. Memory of slots that were never used is never
 * touched.
 *
 *     free ──begin──▶ open ──leave──▶ its poll comes back ──▶ closed, free
 */
#pragma once

#include "pipeline/io/inbox.h"

struct connections;

struct connection {
	struct inbox_socket socket; /* first: the inbox hands it out */
	struct connections *table;
	struct connection *next_free;
	uint64_t active; /* when it last said something; the source's */
	bool open;       /* it was not left */
};

struct connections {
	struct inbox inbox;
	void (*gone)(
		void *owner); /* a slot is free again; from the loop, or from within connection_leave() */
	void *owner;
	struct connection *slots, *free;
	uint32_t limit;   /* slots */
	uint32_t touched; /* of them, those that have been used */
	uint32_t taken;   /* those that are not free */
	uint32_t open;    /* those that were not left */
};

/* Makes `limit` slots; `inbox`, `gone` and `owner` are set before. False if there is no memory. */
bool connections_open(struct connections *connections, uint32_t limit);

/* Frees the slots: none is taken. A zeroed table is allowed. */
void connections_close(struct connections *connections);

static inline bool connections_full(const struct connections *connections)
{
	return connections->taken >= connections->limit;
}

/* Takes a slot, there must be one, for a non-blocking socket, and watches it. */
struct connection *connection_begin(struct connections *connections, int fd);

/* Ends reading it; its socket is closed, and its slot free, as soon as nothing is in flight. */
void connection_leave(struct connection *connection);

static inline uint32_t connection_slot(const struct connection *connection)
{
	return (uint32_t)(connection - connection->table->slots);
}
