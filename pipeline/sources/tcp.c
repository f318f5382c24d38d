/* tcp: listens, and reads what connections bring.
 *
 * All connections share the source's current buffer, so ten thousand that trickle pin one, not ten thousand. A
 * connection is left when the end of its stream has been put.
 */

#include "pipeline/sources/tcp.h"

#include "pipeline/io/listener.h"
#include "pipeline/sources/connections.h"
#include "pipeline/sources/receive.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	ACCEPTS_A_WAKE = 64,
	ACCEPT_PAUSE_MS = 100,
	SILENCE_MS = 200,         /* draining: after that a connection has said all */
	SWEEP_PAUSE_MS = 20,      /* draining: between two looks at all connections */
	RESERVED_DESCRIPTORS = 64 /* for everything but connections */
};

struct tcp_source {
	struct address listen;
	uint64_t max_connections;

	struct node *node;
	struct listener listener;
	struct connections connections;
	struct buffer *buffer; /* what is received next goes behind what is published */
	uint64_t accept_at;    /* accepting pauses until then; 0: it does not */
	struct log_gate trouble_gate, full_gate;

	bool draining, halted;
	uint64_t deadline, sweep_at; /* draining */
};

static const struct option options[] = {
	OPTION(ADDRESS, struct tcp_source, listen, .required = true, .primary = true,
		.wildcard = true, .example = "\"127.0.0.1:5140\"",
		.doc = "Where to listen: an address and a port; the port alone is every address."),
	OPTION(COUNT, struct tcp_source, max_connections, .standard = "1024", .least = "1",
		.most = "1000000",
		.doc = "The most connections at once; at the limit accepting pauses. Lowered, "
		       "with a warning, where descriptors do not suffice."),
	OPTIONS_END
};

uint16_t tcp_source_port(const struct node *node)
{
	const struct tcp_source *source = node->state;

	return listener_port(&source->listener);
}

static void update_counts(struct tcp_source *source)
{
	source->node->connections = source->connections.open;
	source->node->busy = source->connections.taken + source->listener.in_flight;
}

/* Connections. */

static struct tcp_source *source_of(const struct connection *connection)
{
	return connection->table->owner;
}

static uint32_t stream_of(const struct connection *connection)
{
	return source_of(connection)->node->first_stream + connection_slot(connection);
}

/* Draining: looks at all connections when this one may have fallen silent, if not before. */
static void sweep_for(struct tcp_source *source, const struct connection *connection)
{
	uint64_t silent_at = connection->active + SILENCE_MS;

	if (silent_at < source->sweep_at)
		source->sweep_at = silent_at;
}

static void begin_connection(struct tcp_source *source, int fd)
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

static void pause_accepting(struct tcp_source *source, int error)
{
	uint64_t now = node_now(source->node), missed;
	char again[64] = "";

	source->accept_at = now + ACCEPT_PAUSE_MS;
	if (!log_gate_open(&source->trouble_gate, now, &missed))
		return;
	if (missed > 0)
		snprintf(again, sizeof(again), " (and %" PRIu64 " times since the last line)",
			missed);
	node_log(source->node, LOG_LEVEL_WARNING,
		"cannot accept a connection: %s; accepting pauses for %d ms%s", strerror(error),
		ACCEPT_PAUSE_MS, again);
}

static void say_full(struct tcp_source *source)
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

static enum queue accept_some(struct tcp_source *source, uint32_t most)
{
	if (source->accept_at)
		return QUEUE_PAUSED;
	while (most-- > 0) {
		if (connections_full(&source->connections))
			return QUEUE_PAUSED;
		int fd = listener_accept(&source->listener);
		if (fd == -EAGAIN)
			return QUEUE_EMPTY;
		if (fd >= 0) {
			begin_connection(source, fd);
		} else if (!is_connections_own(-fd)) {
			pause_accepting(source, -fd);
			return QUEUE_PAUSED;
		}
	}
	return QUEUE_WAITS;
}

/* Asks to be woken for the next connection, unless there is no place for it. While draining, what waits is accepted at
 * once, and nothing that comes later. */
static void keep_accepting(struct tcp_source *source)
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
	struct tcp_source *source = owner;

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
	struct tcp_source *source = owner;

	keep_accepting(source);
	update_counts(source);
	node_wake(source->node);
}

static void end_pause(struct tcp_source *source)
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
	struct tcp_source *source = source_of(connection);
	uint32_t received = 0;

	switch (receive_once(source->node, out, source->buffer, &connection->socket,
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

/* Each readable connection once, in turn. */
static void read_connections(struct tcp_source *source, struct batch *out)
{
	uint64_t left = source->node->quota;

	for (uint32_t turns = source->connections.inbox.count; turns > 0 && left > 0; turns--) {
		if (batch_room(out) == 0 || !receive_ready(&source->buffer, source->node->pool))
			return;
		struct inbox_socket *next = inbox_next(&source->connections.inbox);
		if (!next)
			return;
		left -= read_connection((struct connection *)next, out, left);
	}
}

/* Draining. */

/* Bytes, or an end, that wait in the kernel though their readiness has not come up yet. */
static bool has_more(const struct connection *connection)
{
	struct pollfd waiting = { .fd = connection->socket.fd, .events = POLLIN };

	return connection->socket.readable || poll(&waiting, 1, 0) > 0;
}

static bool is_over(const struct connection *connection, uint64_t now)
{
	if (now >= source_of(connection)->deadline)
		return true;
	return now >= connection->active + SILENCE_MS && !has_more(connection);
}

static void end_silent(struct connection *connection, struct batch *out)
{
	shutdown(connection->socket.fd, SHUT_WR);
	end_connection(connection, out, VIEW_END);
}

/* Ends the connections that have been silent. False if the batch had no room for an end. */
static bool sweep(struct tcp_source *source, struct batch *out, uint64_t now)
{
	source->sweep_at = source->deadline;
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
	if (source->sweep_at < now + SWEEP_PAUSE_MS)
		source->sweep_at = now + SWEEP_PAUSE_MS;
	return true;
}

static void continue_drain(struct tcp_source *source, struct batch *out)
{
	struct node *node = source->node;
	uint64_t now = node_now(node);

	if (now >= source->deadline)
		listener_stop(&source->listener);
	bool is_held_up = now >= source->sweep_at && !sweep(source, out, now);
	node->ended = source->connections.open == 0 && source->listener.stopped;
	node->due = node->ended || is_held_up ? 0 : source->sweep_at;
}

static void tcp_read(struct node *node, struct batch *out)
{
	struct tcp_source *source = node->state;

	end_pause(source);
	read_connections(source, out);
	node->due = 0;
	if (source->draining)
		continue_drain(source, out);
	if (source->accept_at && !node->ended && (!node->due || source->accept_at < node->due))
		node->due = source->accept_at;
	update_counts(source);
}

/* Silence counts from now on at the earliest: what was sent just before may still be on its way. */
static void tcp_drain(struct node *node, uint64_t deadline)
{
	struct tcp_source *source = node->state;
	uint64_t now = node_now(node);

	source->draining = true;
	source->deadline = deadline;
	source->sweep_at = now + SILENCE_MS < deadline ? now + SILENCE_MS : deadline;
	for (uint32_t i = 0; i < source->connections.touched; i++)
		source->connections.slots[i].active = now;
	keep_accepting(source);
	node->up = false;
	node->due = now;
	update_counts(source);
	node_wake(node);
}

/* Opening and closing. */

/* max_connections, or what descriptors allow. */
static uint32_t connection_limit(const struct tcp_source *source)
{
	uint32_t wanted = (uint32_t)source->max_connections;
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

/* Where the kernel chose the port, it is told. */
static void say_listening(const struct tcp_source *source)
{
	char port[32] = "";

	if (source->listen.port == 0)
		snprintf(port, sizeof(port), " (port %u)", listener_port(&source->listener));
	node_log(source->node, LOG_LEVEL_INFO, "listening on %s%s", source->listen.text, port);
}

static void inbox_woke(void *owner)
{
	const struct tcp_source *source = owner;

	node_wake(source->node);
}

static bool tcp_open(struct node *node, struct faults *faults)
{
	struct tcp_source *source = node->state;

	source->node = node;
	source->listener = (struct listener){ .loop = node->loop,
		.wake = listener_woke,
		.owner = source,
		.shared = node_shards(node) > 1 };
	source->connections = (struct connections){
		.inbox = { .loop = node->loop, .wake = inbox_woke, .owner = source },
		.gone = connection_gone,
		.owner = source,
	};
	if (!connections_open(&source->connections, connection_limit(source)))
		return fault_at(faults, NULL, NULL, "%s: out of memory", node->name);
	const char *why =
		listener_open(&source->listener, source->listen.host, source->listen.port);
	if (why)
		return fault_at(
			faults, NULL, NULL, "cannot listen on %s: %s", source->listen.text, why);
	node->up = true;
	say_listening(source);
	keep_accepting(source);
	update_counts(source);
	return true;
}

static void tcp_halt(struct node *node)
{
	struct tcp_source *source = node->state;

	if (!source->node)
		return;
	source->halted = true;
	node->up = false;
	listener_stop(&source->listener);
	for (uint32_t i = 0; i < source->connections.touched; i++)
		if (source->connections.slots[i].open)
			connection_leave(&source->connections.slots[i]);
	update_counts(source);
}

static void tcp_close(struct node *node)
{
	struct tcp_source *source = node->state;

	assert(node->busy == 0);
	listener_stop(&source->listener);
	buffer_release(&source->buffer);
	connections_close(&source->connections);
}

static bool tcp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	const struct tcp_source *source = node->state;

	(void)in;
	(void)faults;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = (uint32_t)source->max_connections };
	node->charge = source->max_connections * sizeof(struct connection);
	snprintf(node->how, sizeof(node->how), "listens on %s, at most %" PRIu64 " connections",
		source->listen.text, source->max_connections);
	return true;
}

static uint32_t tcp_streams(const struct node *node)
{
	const struct tcp_source *source = node->state;

	return (uint32_t)source->max_connections;
}

const struct source_ops source_tcp = {
	.type = {
		.name = "tcp",
		.doc = "Listens for TCP connections; each is a stream of bytes.",
		.options = options,
		.state_size = sizeof(struct tcp_source),
		.example = "{\"tcp\": {\"listen\": \"127.0.0.1:5140\"}}",
		.plan = tcp_plan,
		.open = tcp_open,
		.close = tcp_close,
		.halt = tcp_halt,
	},
	.read = tcp_read,
	.drain = tcp_drain,
	.streams = tcp_streams,
	.concurrent = tcp_streams,
	.sockets = true,
	.shards = true,
};
