/* unix: sends to a path, over connections or as datagrams. */

#include "pipeline/io/unix_socket.h"
#include "pipeline/sinks/datagram_sender.h"
#include "pipeline/sinks/stream_sender.h"

#include <stdio.h>
#include <string.h>

enum type { STREAM, DATAGRAM };

struct unix_sink {
	struct strings connect;
	unsigned type;
	uint64_t timeout;
	struct retry retry;

	struct stream_sender stream;     /* type stream */
	struct datagram_sender datagram; /* type datagram */
};

static const char *const type_names[] = { "stream", "datagram", NULL };

static const struct option options[] = {
	OPTION(STRINGS, struct unix_sink, connect, .required = true, .primary = true,
		.is_path = true, .example = "\"/run/app/log.sock\"",
		.doc = "The path of a listening socket, or a list of them, of which the next is "
		       "tried on failure."),
	OPTION(CHOICE, struct unix_sink, type, .choices = type_names,
		.doc = "A connection, or a record a datagram, without its delimiter."),
	OPTION(TIME, struct unix_sink, timeout, .standard = "30s", .least = "1ms", .most = "1d",
		.doc = "How long a write may get nowhere."),
	OPTION_GROUP(struct unix_sink, retry, retry_options,
		.doc = "How it connects again, for ever, with pauses that grow and vary by a "
		       "quarter."),
	OPTIONS_END
};

static struct connector *connector_of(struct unix_sink *sink)
{
	return sink->type == DATAGRAM ? &sink->datagram.connector : &sink->stream.connector;
}

static bool unix_open(struct node *node, struct faults *faults)
{
	struct unix_sink *sink = node->state;
	struct connector *connector = connector_of(sink);

	connector->retry = sink->retry;
	connector->timeout = sink->timeout;
	if (sink->type == DATAGRAM)
		return datagram_sender_open(&sink->datagram, node, faults);
	return stream_sender_open(&sink->stream, node, faults);
}

static void unix_write(struct node *node, struct batch *in)
{
	struct unix_sink *sink = node->state;

	if (sink->type == DATAGRAM)
		datagram_sender_write(&sink->datagram, in);
	else
		stream_sender_write(&sink->stream, in);
}

static bool unix_end(struct node *node)
{
	struct unix_sink *sink = node->state;

	if (sink->type == DATAGRAM)
		return datagram_sender_end(&sink->datagram);
	return stream_sender_end(&sink->stream);
}

static void unix_halt(struct node *node)
{
	struct unix_sink *sink = node->state;

	if (sink->type == DATAGRAM)
		datagram_sender_halt(&sink->datagram);
	else
		stream_sender_halt(&sink->stream);
}

/* Datagrams leave whole. */
static bool unix_leave(struct node *node)
{
	const struct unix_sink *sink = node->state;

	return sink->type == DATAGRAM || stream_sender_leave(&sink->stream);
}

static void unix_close(struct node *node)
{
	struct unix_sink *sink = node->state;

	datagram_sender_close(&sink->datagram);
	stream_sender_close(&sink->stream);
}

static bool plan_paths(const struct unix_sink *sink, const struct node *node, struct faults *faults)
{
	for (size_t i = 0; i < sink->connect.count; i++) {
		size_t size = strlen(sink->connect.items[i]);

		if (size == 0 || size > UNIX_PATH_MOST)
			return fault_at(faults, option_value(options, node->value, "connect"), NULL,
				"the path of a unix socket has 1 to %d bytes", (int)UNIX_PATH_MOST);
	}
	return true;
}

static bool unix_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct unix_sink *sink = node->state;
	struct connector *connector = connector_of(sink);
	bool is_datagram = sink->type == DATAGRAM;
	char text[120];

	(void)out;
	if (!plan_paths(sink, node, faults))
		return false;
	connector->paths = sink->connect.items;
	connector->count = sink->connect.count;
	connector_describe(connector, text, sizeof(text));
	snprintf(node->how, sizeof(node->how), "sends to %s%s", text,
		is_datagram ? ", a record a datagram" : "");
	if (is_datagram)
		return datagram_sender_plan(&sink->datagram, node, in, faults);
	node->charge = gather_cost();
	return true;
}

const struct sink_ops sink_unix = {
	.type = {
		.name = "unix",
		.doc = "Sends to a unix socket; connects again for ever.",
		.options = options,
		.state_size = sizeof(struct unix_sink),
		.example = "{\"unix\": {\"connect\": \"/run/app/log.sock\"}}",
		.plan = unix_plan,
		.open = unix_open,
		.close = unix_close,
		.halt = unix_halt,
	},
	.write = unix_write,
	.end = unix_end,
	.leave = unix_leave,
};
