/* udp: receives datagrams; each is a record, or the bytes of one. */

#include "pipeline/sources/udp.h"

#include "config/units.h"
#include "pipeline/io/listener.h"
#include "pipeline/sources/address_listen.h"
#include "pipeline/sources/datagrams.h"

#include <stdio.h>
#include <sys/socket.h>

struct udp_source {
	struct address listen;
	uint64_t receive_buffer;
	struct strings allow;

	struct listener listener; /* its sockets are bound, and never polled by it */
	struct datagrams datagrams;
};

static const struct option options[] = {
	OPTION(ADDRESS, struct udp_source, listen, .required = true, .primary = true,
		.wildcard = true, .passable = true, .example = "\"127.0.0.1:5140\"",
		.doc = "Where to listen: an address and a port; the port alone is every address, "
		       "IPv4 and IPv6; or `systemd:` and the name of sockets that the service "
		       "manager passes."),
	OPTION(SIZE, struct udp_source, receive_buffer, .standard = "4MiB", .least = "1KiB",
		.most = "1GiB",
		.doc = "What the kernel keeps for us while we are busy. Where it gives less, a "
		       "warning says so (net.core.rmem_max). A passed socket keeps its own."),
	OPTION(STRINGS, struct udp_source, allow, .example = "[\"10.0.0.0/8\", \"::1\"]",
		.doc = "The addresses and networks that datagrams are taken from; others are "
		       "counted and thrown away. From everybody, where it is absent."),
	OPTIONS_END
};

uint16_t udp_source_port(const struct node *node)
{
	const struct udp_source *source = node->state;

	return listener_port(&source->listener);
}

/* The kernel doubles what is asked for, for its own books, and tells the double. */
static uint64_t receive_buffer_of(int fd)
{
	int got = 0;
	socklen_t length = sizeof(got);

	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length) < 0 ? 0 : (uint64_t)got / 2;
}

static void set_receive_buffer(int fd, uint64_t wanted)
{
	int size = (int)wanted;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* A passed socket may have more than we are allowed to set: it is let be. */
static void add_socket(struct udp_source *source, struct node *node, int fd)
{
	bool passed = source->listen.passed != NULL;
	char is[32], wanted[32];

	if (!passed)
		set_receive_buffer(fd, source->receive_buffer);
	uint64_t got = receive_buffer_of(fd);
	if (got < source->receive_buffer)
		node_log(node, LOG_LEVEL_WARNING, "receive_buffer is %s instead of %s: %s",
			size_format(got, is), size_format(source->receive_buffer, wanted),
			passed ? "the .socket unit says so (ReceiveBuffer=)"
			       : "the kernel allows no more (net.core.rmem_max)");
	datagrams_add(&source->datagrams, fd);
}

static void say_listening(struct node *node)
{
	const struct udp_source *source = node->state;
	char port[32] = "";

	if (source->listen.port == 0 && !source->listen.passed)
		snprintf(port, sizeof(port), " (port %u)", udp_source_port(node));
	node_log(node, LOG_LEVEL_INFO, "listening on %s%s", source->listen.text, port);
}

static void sockets_gone(void *owner)
{
	listener_stop(owner);
}

static void never_woken(void *owner)
{
	(void)owner;
}

static bool udp_open(struct node *node, struct faults *faults)
{
	struct udp_source *source = node->state;

	source->datagrams.gone = sockets_gone;
	source->datagrams.owner = &source->listener;
	source->datagrams.counted_elsewhere = source->listen.passed && node_shard(node) > 0;
	if (!datagrams_open(&source->datagrams, node, faults))
		return false;
	source->listener = (struct listener){
		.loop = node->loop,
		.wake = never_woken,
		.owner = source,
		.type = SOCK_DGRAM,
		.shared = node_shards(node) > 1,
	};
	if (!address_listen(node, &source->listener, &source->listen, faults))
		return false;
	for (uint32_t i = 0; i < source->listener.count; i++)
		add_socket(source, node, source->listener.sockets[i].fd);
	node->up = true;
	say_listening(node);
	return true;
}

static void udp_read(struct node *node, struct batch *out)
{
	struct udp_source *source = node->state;

	datagrams_read(&source->datagrams, out);
}

static void udp_drain(struct node *node, uint64_t deadline)
{
	struct udp_source *source = node->state;

	datagrams_drain(&source->datagrams, deadline);
}

static bool udp_rest(struct node *node, struct batch *out)
{
	struct udp_source *source = node->state;

	(void)out;
	return datagrams_rest(&source->datagrams);
}

static void udp_halt(struct node *node)
{
	struct udp_source *source = node->state;

	datagrams_halt(&source->datagrams);
}

static void udp_close(struct node *node)
{
	struct udp_source *source = node->state;

	listener_stop(&source->listener);
	datagrams_close(&source->datagrams);
}

static bool udp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct udp_source *source = node->state;

	(void)in;
	if (!networks_read(&source->datagrams.allow, &source->allow,
		    option_value(options, node->value, "allow"), faults))
		return false;
	snprintf(node->how, sizeof(node->how), "receives on %s%s, several datagrams a call",
		source->listen.text, source->listen.passed ? " (passed sockets)" : "");
	return datagrams_plan(node, out, faults);
}

static uint32_t udp_streams(const struct node *node)
{
	(void)node;
	return 1;
}

const struct source_ops source_udp = {
	.type = {
		.name = "udp",
		.doc = "Receives UDP datagrams; a split behind it ends a record at a datagram's "
		       "end, too.",
		.options = options,
		.state_size = sizeof(struct udp_source),
		.example = "{\"udp\": {\"listen\": \"127.0.0.1:5140\"}}",
		.plan = udp_plan,
		.open = udp_open,
		.close = udp_close,
		.halt = udp_halt,
	},
	.read = udp_read,
	.drain = udp_drain,
	.rest = udp_rest,
	.streams = udp_streams,
	.concurrent = udp_streams,
	.sockets = true,
	.shards = true,
};
