/* The admin server's taps: a stream of items to a viewer, on the connection's own thread. */
#include "daemon/admin_tap.h"

#include "daemon/clock.h"

#include "config/nearest.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	RATE = 100,         /* samples a second, unless all are wanted */
	PATIENCE_MS = 1000, /* how long a viewer may be gone before it is noticed */
	GONE_MS = 3000,     /* how long a node may be nowhere before the tap ends */
	BLOCK = 16 * 1024,  /* bytes that are sent at once, at most */
	LONGEST_ITEM = TAP_MOST + 128
};

struct stream {
	struct admin *admin;
	struct tapping *tapping;
	int fd;                /* the viewer's */
	uint64_t rate;         /* 0: all */
	uint64_t left;         /* samples to come */
	uint64_t began, given; /* in the second that began then */
	uint64_t here;         /* when the node was there last */
	struct tap_facts told;
	uint64_t told_at;
	bool over;
	size_t size, at; /* of the item that is being sent, and how far */
	char item[LONGEST_ITEM];
};

/* --- items --------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void write_item(
	struct stream *stream, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	const int size = vsnprintf(stream->item, sizeof(stream->item), format, list);
	va_end(list);
	stream->at = 0;
	stream->size = size > 0 ? (size_t)size : 0;
}

static void end(struct stream *stream, const char *why)
{
	write_item(stream, "e %s\n", why);
	stream->over = true;
}

static void end_gone(struct stream *stream)
{
	write_item(stream, "e %s is gone\n", stream->tapping->node);
	stream->over = true;
}

static void write_sample(struct stream *stream, const struct sample *sample)
{
	write_item(stream, "s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", sample->content,
		sample->content_size, sample->size, sample->whole);
	memcpy(stream->item + stream->size, sample->data, sample->size);
	stream->size += sample->size;
	stream->item[stream->size++] = '\n';
}

/* Several workers give as many as one. */
static bool is_over_the_rate(struct stream *stream, uint64_t now)
{
	if (now - stream->began >= 1000) {
		stream->began = now;
		stream->given = 0;
	}
	return stream->rate > 0 && stream->given >= stream->rate;
}

static bool take_sample(struct stream *stream, uint64_t now)
{
	struct sample sample;

	while (tapping_next(stream->tapping, &sample)) {
		if (is_over_the_rate(stream, now))
			continue;
		stream->given++;
		stream->left--;
		write_sample(stream, &sample);
		return true;
	}
	return false;
}

/* What is worth a notice: lost samples, once a second, and another node under the name. */
static bool take_notice(struct stream *stream, uint64_t now)
{
	struct tap_facts facts;

	tapping_look(stream->tapping, &facts);
	if (facts.places > 0)
		stream->here = now;
	if (facts.attached > stream->told.attached && stream->told.attached > 0 &&
		facts.places <= stream->told.places) {
		write_item(stream, "n %s has been replaced: what follows is of the new one\n",
			stream->tapping->node);
		stream->told.attached = facts.attached;
		return true;
	}
	stream->told.attached = facts.attached;
	if (facts.places > 0)
		stream->told.places = facts.places;
	if (facts.missed > stream->told.missed && now - stream->told_at >= 1000) {
		write_item(stream, "n %" PRIu64 " samples were lost: too slow a viewer\n",
			facts.missed - stream->told.missed);
		stream->told.missed = facts.missed;
		stream->told_at = now;
		return true;
	}
	return false;
}

/* False if the viewer has gone. */
static bool await(const struct stream *stream)
{
	struct pollfd ready[] = { { .fd = stream->tapping->bell, .events = POLLIN },
		{ .fd = stream->fd, .events = POLLRDHUP } };

	if (poll(ready, 2, PATIENCE_MS) < 0)
		return true;
	tapping_hush(stream->tapping);
	return ready[1].revents == 0;
}

/* Makes the next item. False if nobody is there to get it. */
static bool next_item(struct stream *stream)
{
	for (;;) {
		const uint64_t now = clock_ms();
		if (stream->left == 0)
			end(stream, ""); /* it has what it asked for */
		else if (atomic_load(&stream->admin->ending))
			end(stream, "the daemon ends");
		else if (now - stream->here >= GONE_MS)
			end_gone(stream);
		else if (!take_notice(stream, now) && !take_sample(stream, now)) {
			if (!await(stream))
				return false;
			continue;
		}
		return true;
	}
}

static ssize_t give_items(void *context, uint64_t position, char *buffer, size_t most)
{
	struct stream *stream = context;

	(void)position;
	if (stream->at == stream->size) {
		if (stream->over)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (!next_item(stream))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	const size_t left = stream->size - stream->at, part = left < most ? left : most;
	memcpy(buffer, stream->item + stream->at, part);
	stream->at += part;
	return (ssize_t)part;
}

/* --- beginning and ending ------------------------------------------------------------------------------------------ */

static void close_stream(void *context)
{
	struct stream *stream = context;

	workers_untap(stream->admin->workers, stream->tapping);
	free(stream);
}

/* The nodes' names, as many as there are. */
static size_t list_names(const struct plan *plan, const char **names, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count && count < most; k++)
			if (plan->pipelines[i]->shard == 0)
				names[count++] = plan->pipelines[i]->nodes[k]->name;
	return count;
}

static bool find_name(const char *wanted, const char **names, char *why, size_t size)
{
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], wanted) == 0)
			return true;
	const char *meant = nearest(wanted, names);
	snprintf(why, size, "there is no node \"%.200s\"%s%s%s\n", wanted,
		meant ? ": did you mean \"" : "; /status names them", meant ? meant : "",
		meant ? "\"?" : "");
	return false;
}

static bool is_known(struct admin *admin, const char *node, char *why, size_t size)
{
	struct snapshot snapshot;

	if (!workers_ask(admin->workers, 0, &snapshot)) {
		snprintf(why, size, "not enough memory\n");
		return false;
	}
	const char **names = calloc(snapshot.node_count + 1, sizeof(*names));
	if (names)
		list_names(snapshot.plan, names, snapshot.node_count);
	const bool known = names && find_name(node, names, why, size);
	free(names);
	snapshot_close(&snapshot);
	return known;
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static bool read_count(const char *text, uint64_t *count)
{
	char *end_of_number;

	*count = UINT64_MAX;
	if (!text)
		return true;
	*count = strtoull(text, &end_of_number, 10);
	return text[0] >= '0' && text[0] <= '9' && *end_of_number == '\0';
}

static struct stream *open_stream(
	struct admin *admin, const struct tapping_wish *wish, uint64_t count, const char **why)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	*why = "not enough memory";
	if (!stream)
		return NULL;
	*stream = (struct stream){ .admin = admin,
		.rate = wish->rate,
		.left = count,
		.here = clock_ms(),
		.tapping = workers_tap(admin->workers, wish, why) };
	if (stream->tapping)
		return stream;
	free(stream);
	return NULL;
}

/* A viewer may wait for as long as it likes. */
static void prepare(struct stream *stream, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	stream->fd = info ? info->connect_fd : -1;
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

struct MHD_Response *admin_tap(struct admin *admin, struct MHD_Connection *connection,
	unsigned *status, char *why, size_t size)
{
	const char *node = argument(connection, "node"), *text = argument(connection, "text");
	const struct tapping_wish wish = { .node = node,
		.text = text,
		.text_size = text ? strlen(text) : 0,
		.rate = argument(connection, "all") ? 0 : RATE };
	const char *reason;
	uint64_t count;

	*status = node ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST;
	if (!node || !read_count(argument(connection, "count"), &count)) {
		*status = MHD_HTTP_BAD_REQUEST;
		snprintf(why, size, "/tap?node=NAME, and &text=TEXT &count=NUMBER &all=1\n");
		return NULL;
	}
	if (!is_known(admin, node, why, size))
		return NULL;
	*status = MHD_HTTP_SERVICE_UNAVAILABLE;
	struct stream *stream = open_stream(admin, &wish, count, &reason);
	if (!stream) {
		snprintf(why, size, "%s\n", reason);
		return NULL;
	}
	prepare(stream, connection);
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, give_items, stream, close_stream);
	if (!response)
		close_stream(stream);
	*status = MHD_HTTP_OK;
	return response;
}
