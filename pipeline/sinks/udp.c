/* udp: sends a record a datagram. */

#include "pipeline/sinks/datagram_sender.h"

#include <stdio.h>

struct udp_sink {
	struct addresses connect;
	uint64_t timeout;
	struct retry retry;

	struct datagram_sender sender;
};

static const struct option options[] = {
	OPTION(ADDRESSES, struct udp_sink, connect, .required = true, .primary = true,
		.example = "\"127.0.0.1:5141\"",
		.doc = "Where to send: a name or address, and a port; or a list of them, of "
		       "which the next is tried when one refuses."),
	OPTION(TIME, struct udp_sink, timeout, .standard = "30s", .least = "1ms", .most = "1d",
		.doc = "How long a write may get nowhere."),
	OPTION_GROUP(struct udp_sink, retry, retry_options,
		.doc = "How it tries again, for ever, with pauses that grow and vary by a "
		       "quarter."),
	OPTIONS_END
};

static bool udp_open(struct node *node, struct faults *faults)
{
	struct udp_sink *sink = node->state;

	sink->sender.connector.retry = sink->retry;
	sink->sender.connector.timeout = sink->timeout;
	return datagram_sender_open(&sink->sender, node, faults);
}

static void udp_write(struct node *node, struct batch *in)
{
	struct udp_sink *sink = node->state;

	datagram_sender_write(&sink->sender, in);
}

static bool udp_end(struct node *node)
{
	struct udp_sink *sink = node->state;

	return datagram_sender_end(&sink->sender);
}

static void udp_halt(struct node *node)
{
	struct udp_sink *sink = node->state;

	datagram_sender_halt(&sink->sender);
}

/* Datagrams leave whole. */
static bool udp_leave(struct node *node)
{
	(void)node;
	return true;
}

static void udp_close(struct node *node)
{
	struct udp_sink *sink = node->state;

	datagram_sender_close(&sink->sender);
}

static bool udp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct udp_sink *sink = node->state;
	char text[120];

	(void)out;
	sink->sender.connector.addresses = sink->connect.items;
	sink->sender.connector.count = sink->connect.count;
	connector_describe(&sink->sender.connector, text, sizeof(text));
	snprintf(node->how, sizeof(node->how), "sends to %s, a record a datagram", text);
	return datagram_sender_plan(&sink->sender, node, in, faults);
}

const struct sink_ops sink_udp = {
	.type = {
		.name = "udp",
		.doc = "Sends a record a UDP datagram, without its delimiter; whether it arrives nobody knows.",
		.options = options,
		.state_size = sizeof(struct udp_sink),
		.example = "{\"udp\": {\"connect\": \"127.0.0.1:5141\"}}",
		.plan = udp_plan,
		.open = udp_open,
		.close = udp_close,
		.halt = udp_halt,
	},
	.write = udp_write,
	.end = udp_end,
	.leave = udp_leave,
};
