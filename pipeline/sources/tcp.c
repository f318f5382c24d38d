/* tcp: listens, and reads what connections bring. */

#include "pipeline/sources/tcp.h"

#include "pipeline/sources/address_listen.h"
#include "pipeline/sources/stream_listener.h"

#include <inttypes.h>
#include <stdio.h>

struct tcp_source {
	struct address listen;
	uint64_t max_connections;
	uint64_t idle_timeout;
	struct strings allow;

	struct stream_listener stream;
};

static const struct option options[] = {
	OPTION(ADDRESS, struct tcp_source, listen, .required = true, .primary = true,
		.wildcard = true, .passable = true, .example = "\"127.0.0.1:5140\"",
		.doc = "Where to listen: an address and a port; the port alone is every address, "
		       "IPv4 and IPv6; or `systemd:` and the name of sockets that the service "
		       "manager passes."),
	OPTION(COUNT, struct tcp_source, max_connections, .standard = "1024", .least = "1",
		.most = "1000000",
		.doc = "The most connections at once; at the limit accepting pauses. Lowered, "
		       "with a warning, where descriptors do not suffice."),
	OPTION(TIME, struct tcp_source, idle_timeout, .standard = "0s", .most = "365d",
		.doc = "A connection that is silent for this long is closed; 0s: never. Dead "
		       "peers are found by keepalive in any case."),
	OPTION(STRINGS, struct tcp_source, allow, .example = "[\"10.0.0.0/8\", \"::1\"]",
		.doc = "The addresses and networks that may connect; others are closed at once "
		       "and counted. Everybody, where it is absent."),
	OPTIONS_END
};

uint16_t tcp_source_port(const struct node *node)
{
	const struct tcp_source *source = node->state;

	return listener_port(&source->stream.listener);
}

/* Where the kernel chose the port, it is told. */
static void say_listening(struct node *node)
{
	const struct tcp_source *source = node->state;
	char port[32] = "";

	if (source->listen.port == 0 && !source->listen.passed)
		snprintf(port, sizeof(port), " (port %u)", tcp_source_port(node));
	node_log(node, LOG_LEVEL_INFO, "listening on %s%s", source->listen.text, port);
}

static bool tcp_open(struct node *node, struct faults *faults)
{
	struct tcp_source *source = node->state;
	struct stream_listener *stream = &source->stream;

	stream->max_connections = source->max_connections;
	stream->idle_timeout = source->idle_timeout;
	if (!stream_listener_open(stream, node, faults))
		return false;
	if (!address_listen(node, &stream->listener, &source->listen, faults))
		return false;
	say_listening(node);
	stream_listener_begin(stream);
	return true;
}

static void tcp_read(struct node *node, struct batch *out)
{
	struct tcp_source *source = node->state;

	stream_listener_read(&source->stream, out);
}

static void tcp_drain(struct node *node, uint64_t deadline)
{
	struct tcp_source *source = node->state;

	stream_listener_drain(&source->stream, deadline);
}

static bool tcp_rest(struct node *node, struct batch *out)
{
	struct tcp_source *source = node->state;

	(void)out;
	return stream_listener_rest(&source->stream);
}

static void tcp_halt(struct node *node)
{
	struct tcp_source *source = node->state;

	stream_listener_halt(&source->stream);
}

static void tcp_close(struct node *node)
{
	struct tcp_source *source = node->state;

	stream_listener_close(&source->stream);
}

static bool tcp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct tcp_source *source = node->state;

	(void)in;
	if (!networks_read(&source->stream.allow, &source->allow,
		    option_value(options, node->value, "allow"), faults))
		return false;
	uint32_t most = stream_listener_most(&source->stream, source->max_connections);
	stream_listener_plan(most, node, out);
	snprintf(node->how, sizeof(node->how), "listens on %s%s, at most %u connections",
		source->listen.text, source->listen.passed ? " (passed sockets)" : "", most);
	return true;
}

static void tcp_refuse(struct node *node, uint32_t stream)
{
	struct tcp_source *source = node->state;

	stream_listener_refuse(&source->stream, stream);
}

static uint32_t tcp_streams(const struct node *node)
{
	const struct tcp_source *source = node->state;

	return (uint32_t)source->max_connections;
}

static uint32_t tcp_concurrent(const struct node *node)
{
	const struct tcp_source *source = node->state;

	return stream_listener_most(&source->stream, source->max_connections);
}

static bool tcp_lower(struct node *node, uint32_t connections, const char *why)
{
	struct tcp_source *source = node->state;

	return stream_listener_lower(&source->stream, node, connections, why);
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
	.patient = true,
	.read = tcp_read,
	.drain = tcp_drain,
	.rest = tcp_rest,
	.streams = tcp_streams,
	.concurrent = tcp_concurrent,
	.lower = tcp_lower,
	.refuse = tcp_refuse,
	.sockets = true,
	.shards = true,
};
