/* Receiving from what is read by readiness: sockets, pipes, terminals.
 *
 * A source has one current buffer for all its streams; what is received goes behind what is published in it. Ten
 * thousand connections that say little fill one buffer together, instead of pinning one each.
 */
#pragma once

#include "pipeline/io/inbox.h"
#include "pipeline/node.h"

/* Makes sure that the current buffer has room, taking a fresh one where it is nearly full; one that nobody else looks
 * at begins anew. False if the pool gives none. */
bool receive_ready(struct buffer **current, struct pool *pool);

/* Receives once, at most `most` bytes, into the current buffer and, where the socket had more than it was asked for the
 * last time, into fresh ones behind it: each call has a cost of its own, and wakes the sender. The last that bytes came
 * to is the current one then. The current buffer and the batch have room. */
enum receive_result receive_much(struct node *node, struct batch *out, struct buffer **current,
	struct inbox_socket *socket, uint32_t stream, uint64_t most, uint32_t *received);

/* Receives once, at most `most` bytes, and puts them as bytes of `stream`; the current buffer and the batch have room.
 * `received` gets the bytes. */
enum receive_result receive_once(struct node *node, struct batch *out, struct buffer *current,
	struct inbox_socket *socket, uint32_t stream, uint64_t most, uint32_t *received);
