/* stdin: reads standard input to its end.
 *
 * A regular file is read ahead into several fresh buffers at a time, one read in flight; anything else (a pipe, a
 * terminal, a socket) when it is readable. The descriptor is shared with whoever started us, so it is never made
 * non-blocking, and a file is read from where it stands.
 */

#include "pipeline/io/loop.h"
#include "pipeline/node.h"
#include "pipeline/sources/receive.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MOST_A_READ = 256 * 1024,
	MOST_BUFFERS = 16 /* a read, however small they are */
};

struct stdin_source {
	struct inbox_socket socket; /* first: the inbox hands it out */
	struct node *node;
	bool is_file;
	uint32_t flag; /* what ends the stream, once it is known; 0: it goes on */
	bool draining;

	/* Anything but a file. */
	struct inbox inbox;
	bool is_watched;
	struct buffer *buffer;

	/* A file: what one read fills, and what of it is not put yet. */
	struct io_operation read;
	struct iovec pieces[MOST_BUFFERS];
	struct buffer *buffers[MOST_BUFFERS];
	uint32_t count; /* buffers that are held */
	uint32_t first; /* of them, the first that is not put wholly */
	uint32_t unput; /* bytes that were read and are not put */
};

static const struct option options[] = { OPTIONS_END };

/* The end. */

/* Puts the end of the stream where it is known, and all before it was put. */
static void put_end(struct stdin_source *source, struct batch *out)
{
	struct node *node = source->node;
	struct view end = { .tag = node->first_stream | source->flag };

	if (source->flag && !node->ended && batch_put(out, &end))
		node->ended = true;
}

/* It stops where it is: its stream has not ended, so an unfinished record is not emitted. */
static void stop_if_draining(struct stdin_source *source)
{
	if (source->draining && !source->flag)
		source->node->ended = true;
}

static void fail(struct stdin_source *source, int error)
{
	source->flag = VIEW_BROKEN;
	source->node->account.unread++;
	node_error(source->node, ERROR_READ);
	node_log(source->node, LOG_LEVEL_ERROR, "cannot read standard input: %s", strerror(error));
}

/* A file. */

static bool can_wait(int error)
{
	return error == EINTR || error == EAGAIN;
}

static void read_done(struct io_operation *read, int result)
{
	struct stdin_source *source = read->owner;

	source->node->busy--;
	source->node->more = false;
	if (result > 0)
		source->unput = (uint32_t)result;
	else if (result == 0)
		source->flag = VIEW_END;
	else if (result != -ECANCELED && !can_wait(-result))
		fail(source, -result);
	node_wake(source->node);
}

static void let_go(struct stdin_source *source)
{
	for (uint32_t i = source->first; i < source->count; i++)
		buffer_release(&source->buffers[i]);
	source->first = source->count = 0;
}

/* Puts what was read, at most `most` bytes. */
static void put_read(struct stdin_source *source, struct batch *out, uint64_t most)
{
	while (source->unput > 0 && most > 0 && batch_room(out) > 0) {
		struct buffer *buffer = source->buffers[source->first];
		uint32_t size = buffer_room(buffer);

		size = source->unput < size ? source->unput : size;
		size = most < size ? (uint32_t)most : size;
		struct view view = view_publish(buffer, size);
		view.tag = source->node->first_stream;
		bool is_put = batch_put(out, &view);
		assert(is_put);
		source->unput -= size;
		source->node->account.received += size;
		most -= size;
		if (buffer_room(buffer) == 0)
			buffer_release(&source->buffers[source->first++]);
	}
	if (source->unput == 0)
		let_go(source);
}

/* How many buffers a read fills: a small part of the pool. */
static uint32_t most_buffers(const struct pool *pool)
{
	uint32_t most = MOST_A_READ / pool_buffer_size(pool);

	if (most > MOST_BUFFERS)
		most = MOST_BUFFERS;
	if (most > pool_count(pool) / 8)
		most = pool_count(pool) / 8;
	return most > 0 ? most : 1;
}

static void take_buffers(struct stdin_source *source)
{
	struct pool *pool = source->node->pool;

	for (uint32_t left = most_buffers(pool); left > 0; left--) {
		struct buffer *buffer = pool_take(pool);

		if (!buffer)
			return;
		source->buffers[source->count] = buffer;
		source->pieces[source->count++] = (struct iovec){ buffer->data, buffer->size };
	}
}

static void read_file(struct stdin_source *source, struct batch *out)
{
	struct node *node = source->node;

	if (source->read.in_flight)
		return;
	put_read(source, out, node->quota);
	if (source->unput > 0)
		return;
	stop_if_draining(source);
	put_end(source, out);
	if (source->flag || node->ended)
		return;
	take_buffers(source);
	if (source->count == 0)
		return;
	node->busy++;
	node->more = true;
	io_read(node->loop, &source->read, STDIN_FILENO, source->pieces, source->count, UINT64_MAX);
}

/* Anything else. */

static void inbox_woke(void *owner)
{
	const struct stdin_source *source = owner;

	node_wake(source->node);
}

static void watch(struct stdin_source *source)
{
	source->node->busy++;
	source->is_watched = true;
	inbox_watch(&source->inbox, &source->socket, STDIN_FILENO);
}

static void gone(struct inbox_socket *socket)
{
	struct stdin_source *source = (struct stdin_source *)socket;

	source->node->busy--;
	source->is_watched = false;
	node_wake(source->node);
}

static void stop_watching(struct stdin_source *source)
{
	if (source->is_watched)
		inbox_forget(&source->socket, gone);
}

static void receive(struct stdin_source *source, struct batch *out)
{
	struct node *node = source->node;
	uint32_t received;

	switch (receive_once(node, out, source->buffer, &source->socket, node->first_stream,
		node->quota, &received)) {
	case RECEIVED:
	case RECEIVED_NOTHING:
		break;
	case RECEIVED_END:
		source->flag = VIEW_END;
		stop_watching(source);
		break;
	case RECEIVED_RESET:
		fail(source, errno);
		stop_watching(source);
		break;
	}
}

static void read_inbox(struct stdin_source *source, struct batch *out)
{
	struct node *node = source->node;

	stop_if_draining(source);
	if (!source->flag && !node->ended && inbox_next(&source->inbox) && node->quota > 0 &&
		batch_room(out) > 0 && receive_ready(&source->buffer, node->pool))
		receive(source, out);
	put_end(source, out);
}

/* The node. */

static void stdin_read(struct node *node, struct batch *out)
{
	struct stdin_source *source = node->state;

	if (node->ended)
		return;
	if (source->is_file)
		read_file(source, out);
	else
		read_inbox(source, out);
}

/* Reads go on from where the file stands. */
static void give_back(struct stdin_source *source)
{
	if (source->unput > 0 && lseek(STDIN_FILENO, -(off_t)source->unput, SEEK_CUR) < 0)
		return;
	source->unput = 0;
	let_go(source);
}

static bool stdin_rest(struct node *node, struct batch *out)
{
	struct stdin_source *source = node->state;

	buffer_release(&source->buffer);
	if (source->read.in_flight)
		return false;
	if (out)
		put_read(source, out, node->quota);
	else
		give_back(source);
	return source->unput == 0;
}

/* What a read in flight brings still counts, as the file then stands behind it. An unfinished record is not emitted. */
static void stdin_drain(struct node *node, uint64_t deadline)
{
	struct stdin_source *source = node->state;

	(void)deadline;
	source->draining = true;
	stop_watching(source);
	node_wake(node);
}

/* The bytes of a file from where it stands. */
static uint64_t bytes_left(const struct stat *status)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	return S_ISREG(status->st_mode) && at >= 0 && at < status->st_size
		       ? (uint64_t)(status->st_size - at)
		       : 0;
}

static bool stdin_open(struct node *node, struct faults *faults)
{
	struct stdin_source *source = node->state;
	struct stat status;

	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || fstat(STDIN_FILENO, &status) < 0)
		return node_fault(node, faults, "read from </dev/null where there is nothing",
			"standard input is not open for reading");
	source->node = node;
	source->is_file = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
	node->expected = bytes_left(&status);
	source->read = (struct io_operation){ .done = read_done, .owner = source };
	source->inbox = (struct inbox){ .loop = node->loop, .wake = inbox_woke, .owner = source };
	node->up = true;
	if (!source->is_file)
		watch(source);
	return true;
}

static void stdin_halt(struct node *node)
{
	struct stdin_source *source = node->state;

	stop_watching(source);
	io_cancel(&source->read);
}

static void stdin_close(struct node *node)
{
	struct stdin_source *source = node->state;

	assert(node->busy == 0);
	let_go(source);
	buffer_release(&source->buffer);
}

static bool stdin_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)in;
	(void)faults;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = 1 };
	snprintf(node->how, sizeof(node->how), "reads standard input to its end");
	return true;
}

const struct source_ops source_stdin = {
	.type = {
		.name = "stdin",
		.doc = "Reads standard input to its end.",
		.options = options,
		.state_size = sizeof(struct stdin_source),
		.example = "\"stdin\"",
		.plan = stdin_plan,
		.open = stdin_open,
		.close = stdin_close,
		.halt = stdin_halt,
	},
	.patient = true,
	.read = stdin_read,
	.drain = stdin_drain,
	.rest = stdin_rest,
};
