/* unix: listens at a path, for connections or for datagrams. */

#include "config/address.h"
#include "pipeline/io/unix_socket.h"
#include "pipeline/sources/address_listen.h"
#include "pipeline/sources/datagrams.h"
#include "pipeline/sources/stream_listener.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum type { STREAM, DATAGRAM };

struct unix_source {
	const char *listen;
	unsigned type;
	const char *mode;
	uint64_t max_connections;

	const char *passed; /* the name of passed sockets; NULL: `listen` is a path */
	mode_t permissions;
	struct unix_socket socket;
	struct stream_listener stream; /* type datagram: its listener only keeps the sockets */
	struct datagrams datagrams;    /* type datagram */
};

static const char *const type_names[] = { "stream", "datagram", NULL };

static const struct option options[] = {
	OPTION(STRING, struct unix_source, listen, .required = true, .primary = true,
		.is_path = true, .example = "/run/app/log.sock",
		.doc = "The socket's path. A socket that nobody answers any more is replaced; it "
		       "is removed at the end. Or `systemd:` and the name of sockets that the "
		       "service manager passes."),
	OPTION(CHOICE, struct unix_source, type, .choices = type_names,
		.doc = "Connections, each a stream of bytes, or datagrams."),
	OPTION(STRING, struct unix_source, mode, .standard = "0660",
		.doc = "The socket's permissions, exactly these, in octal. Of a passed one the "
		       ".socket unit says them (SocketMode=)."),
	OPTION(COUNT, struct unix_source, max_connections, .standard = "1024", .least = "1",
		.most = "1000000",
		.doc = "The most connections at once; at the limit accepting pauses. Lowered, "
		       "with a warning, where descriptors do not suffice."),
	OPTIONS_END
};

/* --- planning ----------------------------------------------------------------------------------------------------- */

static bool plan_mode(struct unix_source *source, const struct node *node, struct faults *faults)
{
	const struct value *value = option_value(options, node->value, "mode");
	size_t size = strlen(source->mode);

	if (value && value->unknown)
		return true;
	if (size < 3 || size > 4 || strspn(source->mode, "01234567") != size ||
		(size == 4 && source->mode[0] != '0'))
		return fault_at(faults, value, "write \"0660\", for instance",
			"\"mode\" is three octal digits, with a 0 in front perhaps");
	source->permissions = (mode_t)strtoul(source->mode, NULL, 8);
	return true;
}

static bool plan_path(
	const struct unix_source *source, const struct node *node, struct faults *faults)
{
	if (strlen(source->listen) <= UNIX_PATH_MOST && source->listen[0])
		return true;
	return fault_at(faults, option_value(options, node->value, "listen"), NULL,
		"the path of a unix socket has 1 to %d bytes", (int)UNIX_PATH_MOST);
}

static bool plan_passed(
	const struct unix_source *source, const struct node *node, struct faults *faults)
{
	const struct value *mode = value_member(node->value, "mode");

	if (mode)
		fault_at(faults, mode, "leave it out, and set SocketMode= in the .socket unit",
			"\"mode\" cannot be set for a socket that the service manager made");
	return passed_name_check(&options[0], option_value(options, node->value, "listen"),
		       source->passed, faults) &&
	       !mode;
}

static bool plan_listen(struct unix_source *source, const struct node *node, struct faults *faults)
{
	const struct value *value = option_value(options, node->value, "listen");

	source->passed = value && value->unknown ? NULL : passed_name(source->listen);
	return source->passed ? plan_passed(source, node, faults) : plan_path(source, node, faults);
}

static bool unix_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct unix_source *source = node->state;

	(void)in;
	bool good = plan_mode(source, node, faults);
	if (!plan_listen(source, node, faults) || !good)
		return false;
	if (source->type == DATAGRAM) {
		snprintf(node->how, sizeof(node->how), "receives at %s, several datagrams a call",
			source->listen);
		return datagrams_plan(node, out, faults);
	}
	uint32_t most = stream_listener_most(&source->stream, source->max_connections);
	stream_listener_plan(most, node, out);
	snprintf(node->how, sizeof(node->how), "listens at %s, at most %u connections",
		source->listen, most);
	return true;
}

static uint32_t unix_streams(const struct node *node)
{
	const struct unix_source *source = node->state;

	return source->type == DATAGRAM ? 1 : (uint32_t)source->max_connections;
}

static uint32_t unix_concurrent(const struct node *node)
{
	const struct unix_source *source = node->state;

	return source->type == DATAGRAM
		       ? 1
		       : stream_listener_most(&source->stream, source->max_connections);
}

static bool unix_lower(struct node *node, uint32_t connections, const char *why)
{
	struct unix_source *source = node->state;

	return source->type != DATAGRAM &&
	       stream_listener_lower(&source->stream, node, connections, why);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static bool make_socket(struct unix_source *source, struct node *node, struct faults *faults)
{
	int type = source->type == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
	const char *why =
		unix_socket_open(&source->socket, source->listen, type, source->permissions);

	if (why)
		return node_fault(
			node, faults, NULL, "cannot listen at %s: %s", source->listen, why);
	listener_adopt(&source->stream.listener, source->socket.fd);
	return true;
}

static void datagrams_gone(void *owner)
{
	struct unix_source *source = owner;

	listener_stop(&source->stream.listener);
}

static void never_woken(void *owner)
{
	(void)owner;
}

static bool open_shared(struct unix_source *source, struct node *node, struct faults *faults)
{
	source->stream.max_connections = source->max_connections;
	if (source->type == STREAM)
		return stream_listener_open(&source->stream, node, faults);
	source->datagrams.gone = datagrams_gone;
	source->datagrams.owner = source;
	source->stream.listener = (struct listener){
		.loop = node->loop, .wake = never_woken, .owner = source, .type = SOCK_DGRAM
	};
	return datagrams_open(&source->datagrams, node, faults);
}

static void begin(struct unix_source *source)
{
	const struct listener *listener = &source->stream.listener;

	if (source->type == STREAM)
		stream_listener_begin(&source->stream);
	else
		for (uint32_t i = 0; i < listener->count; i++)
			datagrams_add(&source->datagrams, listener->sockets[i].fd);
}

static bool unix_open(struct node *node, struct faults *faults)
{
	struct unix_source *source = node->state;

	if (!open_shared(source, node, faults))
		return false;
	struct listener *listener = &source->stream.listener;
	bool open = source->passed ? passed_listen(node, listener, source->passed, true, faults)
				   : make_socket(source, node, faults);
	if (!open)
		return false;
	node_log(node, LOG_LEVEL_INFO, "listening at %s", source->listen);
	node->up = true;
	begin(source);
	return true;
}

static void unix_read(struct node *node, struct batch *out)
{
	struct unix_source *source = node->state;

	if (source->type == DATAGRAM)
		datagrams_read(&source->datagrams, out);
	else
		stream_listener_read(&source->stream, out);
}

static void unix_drain(struct node *node, uint64_t deadline)
{
	struct unix_source *source = node->state;

	if (source->type == DATAGRAM)
		datagrams_drain(&source->datagrams, deadline);
	else
		stream_listener_drain(&source->stream, deadline);
}

static bool unix_rest(struct node *node, struct batch *out)
{
	struct unix_source *source = node->state;

	(void)out;
	return source->type == DATAGRAM ? datagrams_rest(&source->datagrams)
					: stream_listener_rest(&source->stream);
}

static void unix_halt(struct node *node)
{
	struct unix_source *source = node->state;

	if (source->type == DATAGRAM)
		datagrams_halt(&source->datagrams);
	else
		stream_listener_halt(&source->stream);
}

static void unix_close(struct node *node)
{
	struct unix_source *source = node->state;

	stream_listener_close(&source->stream);
	datagrams_close(&source->datagrams);
	unix_socket_remove(&source->socket, source->listen);
	source->socket = (struct unix_socket){ 0 };
}

/* A datagram ends by itself. */
static void unix_refuse(struct node *node, uint32_t stream)
{
	struct unix_source *source = node->state;

	if (source->type == STREAM)
		stream_listener_refuse(&source->stream, stream);
}

const struct source_ops source_unix = {
	.type = {
		.name = "unix",
		.doc = "Listens at a path for connections or datagrams.",
		.options = options,
		.state_size = sizeof(struct unix_source),
		.example = "{\"unix\": {\"listen\": \"/run/app/log.sock\", \"mode\": \"0660\"}}",
		.plan = unix_plan,
		.open = unix_open,
		.close = unix_close,
		.halt = unix_halt,
	},
	.read = unix_read,
	.drain = unix_drain,
	.rest = unix_rest,
	.streams = unix_streams,
	.concurrent = unix_concurrent,
	.lower = unix_lower,
	.refuse = unix_refuse,
	.sockets = true,
};
