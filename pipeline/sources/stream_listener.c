/* Stream listeners: see the header. */

#include "pipeline/sources/stream_listener.h"

#include "pipeline/sources/receive.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS_A_WAKE = 64,
	ACCEPT_PAUSE_MS = 100,
	SILENCE_MS = 200,         /* draining: after that a connection has said all */
	SWEEP_PAUSE_MS = 20,      /* draining: between two looks at all connections */
	SWEEPS_AN_IDLE_TIME = 16, /* otherwise */
	RESERVED_DESCRIPTORS = 64 /* for everything but connections */
};

static void update_counts(struct stream_listener *source)
{
	source->node->connections = source->connections.open;
	source->node->busy = source->connections.taken + source->listener.in_flight;
}

/* Connections. */

static struct stream_listener *source_of(const struct connection *connection)
{
	return connection->table->owner;
}

static uint32_t stream_of(const struct connection *connection)
{
	return source_of(connection)->node->first_stream + connection_slot(connection);
}

/* How long a connection may be silent; 0: for ever. */
static uint64_t patience(const struct stream_listener *source)
{
	return source->draining ? SILENCE_MS : source->idle_timeout;
}

/* Looks at all connections when this one may have been silent for too long, if not before. */
static void sweep_for(struct stream_listener *source, const struct connection *connection)
{
	uint64_t silent_at = connection->active + patience(source);

	if (patience(source) > 0 && silent_at < source->sweep_at)
		source->sweep_at = silent_at;
}

static void begin_connection(struct stream_listener *source, int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	struct connection *connection = connection_begin(&source->connections, fd);
	connection->active = node_now(source->node);
	sweep_for(source, connection);
}

/* Says in the batch, which has room, that the stream is over. */
static void end_connection(struct connection *connection, struct batch *out, uint32_t flag)
{
	struct view end = { .tag = stream_of(connection) | flag };
	bool is_put = batch_put(out, &end);

	assert(is_put);
	connection_leave(connection);
}

/* Accepting. */

enum queue { QUEUE_EMPTY, QUEUE_WAITS, QUEUE_PAUSED };

static void pause_accepting(struct stream_listener *source, int error)
{
	source->accept_at = node_now(source->node) + ACCEPT_PAUSE_MS;
	node_error(source->node, ERROR_ACCEPT);
	node_log_gated(source->node, &source->trouble_gate, LOG_LEVEL_WARNING,
		"cannot accept a connection: %s; accepting pauses for %d ms", strerror(error),
		ACCEPT_PAUSE_MS);
}

static void say_full(struct stream_listener *source)
{
	uint64_t missed;

	if (log_gate_open(&source->full_gate, node_now(source->node), &missed))
		node_log(source->node, LOG_LEVEL_WARNING,
			"%u connections are open, which is the limit: accepting pauses until one "
			"ends",
			source->connections.limit);
}

/* What went wrong with one connection before it was ours says nothing about the next. */
static bool is_connections_own(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
	       error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
	       error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH ||
	       error == ENETDOWN;
}

static void refuse(struct stream_listener *source, int fd, const struct sockaddr *peer)
{
	char text[INET6_ADDRSTRLEN];

	close(fd);
	source->node->account.refused++;
	node_log_gated(source->node, &source->refused_gate, LOG_LEVEL_WARNING,
		"a connection from %s was refused: it is not in \"allow\"",
		network_peer_text(peer, text));
}

/* One that was accepted. */
static void take_connection(struct stream_listener *source, int fd, const struct sockaddr *peer)
{
	if (networks_hold(&source->allow, peer))
		begin_connection(source, fd);
	else
		refuse(source, fd, peer);
}

static enum queue accept_some(struct stream_listener *source, uint32_t most)
{
	struct sockaddr_storage peer = { 0 };

	if (source->accept_at)
		return QUEUE_PAUSED;
	while (most-- > 0) {
		if (connections_full(&source->connections))
			return QUEUE_PAUSED;
		int fd = listener_accept(&source->listener, &peer);
		if (fd == -EAGAIN)
			return QUEUE_EMPTY;
		if (fd >= 0) {
			take_connection(source, fd, (const struct sockaddr *)&peer);
		} else if (!is_connections_own(-fd)) {
			pause_accepting(source, -fd);
			return QUEUE_PAUSED;
		}
	}
	return QUEUE_WAITS;
}

/* Asks to be woken for the next connection, unless there is no place for it. While draining, what waits is accepted at
 * once, and nothing that comes later. */
static void keep_accepting(struct stream_listener *source)
{
	if (source->halted || source->accept_at || connections_full(&source->connections))
		return;
	if (!source->draining)
		listener_wait(&source->listener);
	else if (accept_some(source, UINT32_MAX) == QUEUE_EMPTY)
		listener_stop(&source->listener);
}

static void listener_woke(void *owner)
{
	struct stream_listener *source = owner;

	if (!source->halted && !source->draining) {
		accept_some(source, ACCEPTS_A_WAKE);
		if (connections_full(&source->connections))
			say_full(source);
		keep_accepting(source);
	}
	update_counts(source);
	node_wake(source->node);
}

/* There is place for another. */
static void connection_gone(void *owner)
{
	struct stream_listener *source = owner;

	keep_accepting(source);
	update_counts(source);
	node_wake(source->node);
}

static void end_pause(struct stream_listener *source)
{
	if (!source->accept_at || node_now(source->node) < source->accept_at)
		return;
	source->accept_at = 0;
	keep_accepting(source);
}

/* Reading. */

/* One recv(2). The bytes that it brought. */
static uint32_t read_connection(struct connection *connection, struct batch *out, uint64_t most)
{
	struct stream_listener *source = source_of(connection);
	uint32_t received = 0;

	switch (receive_much(source->node, out, &source->buffer, &connection->socket,
		stream_of(connection), most, &received)) {
	case RECEIVED:
		connection->active = node_now(source->node);
		break;
	case RECEIVED_NOTHING:
		break;
	case RECEIVED_END:
		end_connection(connection, out, VIEW_END);
		break;
	case RECEIVED_RESET:
		end_connection(connection, out, VIEW_BROKEN);
		break;
	}
	return received;
}

/* Those that bring little come first; but where the round before had none else, one that brings much. */
static struct connection *next_connection(struct stream_listener *source)
{
	struct inbox *inbox = &source->connections.inbox;
	struct inbox_socket *next =
		source->served_eager ? inbox_next(inbox) : inbox_next_eager(inbox);

	return (struct connection *)next;
}

/* Each readable connection once, in turn, until they have brought enough. One may bring all of it: what the peer adds
 * where a queue was emptied is still in the cache when it is received; what has stood in a long queue is not. */
static void read_connections(struct stream_listener *source, struct batch *out)
{
	uint64_t left = source->node->quota;
	bool has_eager = false;

	for (uint32_t turns = source->connections.inbox.count; turns > 0 && left > 0; turns--) {
		if (batch_room(out) == 0 || !receive_ready(&source->buffer, source->node->pool))
			break;
		struct connection *next = next_connection(source);
		if (!next)
			break;
		source->served_eager = true;
		has_eager |= next->socket.eager;
		left -= read_connection(next, out, left);
	}
	source->served_eager = has_eager;
}

/* Connections that are silent. */

/* Bytes, or an end, that wait in the kernel though their readiness has not come up yet. */
static bool has_more(const struct connection *connection)
{
	struct pollfd waiting = { .fd = connection->socket.fd, .events = POLLIN };

	return connection->socket.readable || poll(&waiting, 1, 0) > 0;
}

static bool is_over(const struct connection *connection, uint64_t now)
{
	const struct stream_listener *source = source_of(connection);

	if (source->draining && now >= source->deadline)
		return true;
	return now >= connection->active + patience(source) && !has_more(connection);
}

static void say_idle(struct stream_listener *source)
{
	node_log_gated(source->node, &source->idle_gate, LOG_LEVEL_INFO,
		"a connection was silent for the idle_timeout and is closed");
}

static void end_silent(struct connection *connection, struct batch *out)
{
	if (!source_of(connection)->draining)
		say_idle(source_of(connection));
	shutdown(connection->socket.fd, SHUT_WR);
	end_connection(connection, out, VIEW_END);
}

/* Between two sweeps. */
static uint64_t sweep_pause(const struct stream_listener *source)
{
	uint64_t pause = patience(source) / SWEEPS_AN_IDLE_TIME;

	return pause > SWEEP_PAUSE_MS ? pause : SWEEP_PAUSE_MS;
}

/* Ends the connections that have been silent. False if the batch had no room for an end. */
static bool sweep(struct stream_listener *source, struct batch *out, uint64_t now)
{
	source->sweep_at = source->draining ? source->deadline : UINT64_MAX;
	for (uint32_t i = 0; i < source->connections.touched; i++) {
		struct connection *connection = &source->connections.slots[i];

		if (!connection->open)
			continue;
		if (!is_over(connection, now)) {
			sweep_for(source, connection);
			continue;
		}
		if (batch_room(out) == 0) {
			source->sweep_at = now;
			return false;
		}
		end_silent(connection, out);
	}
	if (source->sweep_at < now + sweep_pause(source))
		source->sweep_at = now + sweep_pause(source);
	return true;
}

/* Looks for silent ones where it is time, and says when it is again. False: the batch was full. */
static bool end_silent_ones(struct stream_listener *source, struct batch *out, uint64_t now)
{
	return now < source->sweep_at || sweep(source, out, now);
}

static void continue_drain(struct stream_listener *source, uint64_t now)
{
	if (now >= source->deadline)
		listener_stop(&source->listener);
	source->node->ended = source->connections.open == 0 && source->listener.stopped;
}

/* When there is something to do though nothing has come; 0: never. A full batch calls again by itself. */
static uint64_t next_due(const struct stream_listener *source, bool is_held_up)
{
	uint64_t due = is_held_up ? UINT64_MAX : source->sweep_at;

	if (source->accept_at && source->accept_at < due)
		due = source->accept_at;
	return source->node->ended || due == UINT64_MAX ? 0 : due;
}

void stream_listener_read(struct stream_listener *source, struct batch *out)
{
	uint64_t now = node_now(source->node);

	end_pause(source);
	read_connections(source, out);
	bool is_held_up = !end_silent_ones(source, out, now);
	if (source->draining)
		continue_drain(source, now);
	source->node->due = next_due(source, is_held_up);
	update_counts(source);
}

/* Silence counts from now on at the earliest: what was sent just before may still be on its way. */
void stream_listener_drain(struct stream_listener *source, uint64_t deadline)
{
	uint64_t now = node_now(source->node);

	source->draining = true;
	source->deadline = deadline;
	source->sweep_at = now + SILENCE_MS < deadline ? now + SILENCE_MS : deadline;
	for (uint32_t i = 0; i < source->connections.touched; i++)
		source->connections.slots[i].active = now;
	keep_accepting(source);
	source->node->up = false;
	source->node->due = now;
	update_counts(source);
	node_wake(source->node);
}

/* Opening and closing. */

uint32_t stream_listener_most(const struct stream_listener *source, uint64_t max_connections)
{
	return source->lowered ? source->lowered : (uint32_t)max_connections;
}

bool stream_listener_lower(struct stream_listener *source, const struct node *node,
	uint32_t connections, const char *why)
{
	if (value_member(node->value, "max_connections"))
		return false;
	source->lowered = connections;
	source->lowered_why = why;
	return true;
}

static void say_lowered(const struct stream_listener *source)
{
	if (source->lowered)
		node_log(source->node, LOG_LEVEL_WARNING,
			"max_connections is lowered from %" PRIu64 " to %u: %s",
			source->max_connections, source->lowered, source->lowered_why);
}

/* max_connections, or what descriptors allow. */
static uint32_t connection_limit(const struct stream_listener *source)
{
	uint32_t wanted = stream_listener_most(source, source->max_connections);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur >= (rlim_t)wanted + RESERVED_DESCRIPTORS)
		return wanted;
	uint32_t possible = limit.rlim_cur > RESERVED_DESCRIPTORS
				    ? (uint32_t)limit.rlim_cur - RESERVED_DESCRIPTORS
				    : 1;
	node_log(source->node, LOG_LEVEL_WARNING,
		"max_connections is lowered from %u to %u: only %ju descriptors may be open",
		wanted, possible, (uintmax_t)limit.rlim_cur);
	return possible;
}

static void inbox_woke(void *owner)
{
	const struct stream_listener *source = owner;

	node_wake(source->node);
}

bool stream_listener_open(struct stream_listener *source, struct node *node, struct faults *faults)
{
	source->node = node;
	source->sweep_at = UINT64_MAX;
	source->listener = (struct listener){
		.loop = node->loop,
		.wake = listener_woke,
		.owner = source,
		.shared = node_shards(node) > 1,
	};
	source->connections = (struct connections){
		.inbox = { .loop = node->loop, .wake = inbox_woke, .owner = source },
		.gone = connection_gone,
		.owner = source,
	};
	say_lowered(source);
	if (!connections_open(&source->connections, connection_limit(source)))
		return node_fault(node, faults, NULL, "out of memory");
	return true;
}

void stream_listener_begin(struct stream_listener *source)
{
	source->node->up = true;
	keep_accepting(source);
	update_counts(source);
}

void stream_listener_halt(struct stream_listener *source)
{
	if (!source->node)
		return;
	source->halted = true;
	source->node->up = false;
	listener_stop(&source->listener);
	for (uint32_t i = 0; i < source->connections.touched; i++)
		if (source->connections.slots[i].open)
			connection_leave(&source->connections.slots[i]);
	update_counts(source);
}

void stream_listener_close(struct stream_listener *source)
{
	assert(!source->node || source->node->busy == 0);
	listener_stop(&source->listener);
	buffer_release(&source->buffer);
	connections_close(&source->connections);
}

void stream_listener_plan(uint32_t most, struct node *node, struct shape *out)
{
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = most };
	node->charge = most * sizeof(struct connection);
}

void stream_listener_refuse(struct stream_listener *source, uint32_t stream)
{
	uint32_t slot = stream - source->node->first_stream;
	const struct connection *connection = &source->connections.slots[slot];

	if (connection->open)
		shutdown(connection->socket.fd, SHUT_RDWR);
}

bool stream_listener_rest(struct stream_listener *source)
{
	buffer_release(&source->buffer);
	return true;
}
