/* tcp: sends to the first address of a list that answers, and connects again, for ever, when it does not. */

#include "pipeline/sinks/stream_sender.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

struct tcp_sink {
	struct addresses connect;
	uint64_t timeout;
	struct retry retry;

	struct stream_sender sender;
};

static const struct option options[] = {
	OPTION(ADDRESSES, struct tcp_sink, connect, .required = true, .primary = true,
		.example = "\"127.0.0.1:5141\"",
		.doc = "Where to connect: a name or address, and a port; or a list of them, of "
		       "which the next is tried on failure. Names are looked up at each attempt."),
	OPTION(TIME, struct tcp_sink, timeout, .standard = "30s", .least = "1ms", .most = "1d",
		.doc = "How long an address may take to answer, and a write may get nowhere."),
	OPTION_GROUP(struct tcp_sink, retry, retry_options,
		.doc = "How it connects again, for ever, with pauses that grow and vary by a "
		       "quarter."),
	OPTIONS_END
};

/* A peer that acknowledges nothing for the timeout is gone, even where we write no more. */
static void prepare(const struct stream_sender *sender, int fd)
{
	unsigned timeout = (unsigned)sender->connector.timeout;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static bool tcp_open(struct node *node, struct faults *faults)
{
	struct tcp_sink *sink = node->state;

	sink->sender.prepare = prepare;
	sink->sender.connector.retry = sink->retry;
	sink->sender.connector.timeout = sink->timeout;
	return stream_sender_open(&sink->sender, node, faults);
}

static void tcp_write(struct node *node, struct batch *in)
{
	struct tcp_sink *sink = node->state;

	stream_sender_write(&sink->sender, in);
}

static bool tcp_end(struct node *node)
{
	struct tcp_sink *sink = node->state;

	return stream_sender_end(&sink->sender);
}

static void tcp_halt(struct node *node)
{
	struct tcp_sink *sink = node->state;

	stream_sender_halt(&sink->sender);
}

static bool tcp_leave(struct node *node)
{
	const struct tcp_sink *sink = node->state;

	return stream_sender_leave(&sink->sender);
}

static void tcp_close(struct node *node)
{
	struct tcp_sink *sink = node->state;

	stream_sender_close(&sink->sender);
}

static bool tcp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct tcp_sink *sink = node->state;
	char text[120];

	(void)in;
	(void)out;
	(void)faults;
	node->charge = gather_cost();
	sink->sender.connector.addresses = sink->connect.items;
	sink->sender.connector.count = sink->connect.count;
	connector_describe(&sink->sender.connector, text, sizeof(text));
	snprintf(node->how, sizeof(node->how), "sends to %s", text);
	return true;
}

const struct sink_ops sink_tcp = {
	.type = {
		.name = "tcp",
		.doc = "Sends to a TCP address; connects again for ever.",
		.options = options,
		.state_size = sizeof(struct tcp_sink),
		.example = "{\"tcp\": {\"connect\": \"127.0.0.1:5141\"}}",
		.plan = tcp_plan,
		.open = tcp_open,
		.close = tcp_close,
		.halt = tcp_halt,
	},
	.write = tcp_write,
	.end = tcp_end,
	.leave = tcp_leave,
};
