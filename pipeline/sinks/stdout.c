/* stdout: writes to standard output.
 *
 * When its reader has gone the run is over, without a fault: that is how `| head` ends. Whatever else fails (a full
 * disk behind `>`) is tried again every second; nothing is taken meanwhile.
 */

#include "pipeline/io/gather.h"
#include "pipeline/node.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MS = 1000 };

struct stdout_sink {
	struct node *node;
	struct gather gather;
	struct io_operation write;
	struct io_operation writable; /* where another made the pipe non-blocking */
	struct io_operation reader;   /* tells that a pipe's reader has gone */
	bool is_gone;                 /* its reader */
	bool is_ending;
	uint64_t failed_since; /* 0: writing works */
};

static const struct option options[] = { OPTIONS_END };

static void reader_gone(struct stdout_sink *sink)
{
	struct node *node = sink->node;

	if (sink->is_gone)
		return;
	sink->is_gone = true;
	node->up = false;
	node->due = 0;
	node_log(node, LOG_LEVEL_DEBUG, "standard output was closed by its reader");
	node_end_run(node);
}

/* What comes after the reader has gone is nobody's. */
static void drop_all(struct node *node, struct batch *in)
{
	struct stdout_sink *sink = node->state;

	gather_restart(&sink->gather, in, node->framing); /* what the failed write was lent */
	while (batch_ready(in) > 0) {
		struct view view = batch_take(in);

		if (in->kind != FLOW_BYTES)
			node_drop(node, DROP_SHUTDOWN, view_records(&view));
		view_drop(&view);
	}
	node->safe = in->taken.views;
}

/* Writing. */

static void say_failing(struct stdout_sink *sink, int error)
{
	struct node *node = sink->node;

	node->due = node_now(node) + RETRY_MS;
	node_error(node, ERROR_WRITE);
	if (sink->failed_since)
		return;
	sink->failed_since = node_now(node);
	node->up = false;
	node_log(node, LOG_LEVEL_ERROR,
		"cannot write to standard output: %s; trying again every second", strerror(error));
}

static void say_working(struct stdout_sink *sink)
{
	struct node *node = sink->node;

	if (!sink->failed_since)
		return;
	node_log(node, LOG_LEVEL_INFO, "writing to standard output works again after %" PRIu64 " s",
		(node_now(node) - sink->failed_since) / 1000);
	sink->failed_since = 0;
	node->up = true;
}

static void take_written(struct stdout_sink *sink, uint64_t bytes)
{
	struct node *node = sink->node;

	gather_written(&sink->gather, node->in, bytes);
	node->account.sent += bytes;
	node->safe = node->in->taken.views;
}

static void wait_until_writable(struct stdout_sink *sink)
{
	if (sink->is_ending)
		return;
	sink->node->busy++;
	io_poll(sink->node->loop, &sink->writable, STDOUT_FILENO, POLLOUT);
}

/* Of a pipe, of a socket, and of a terminal that hung up; a disk's EIO is something else. */
static bool means_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || (error == EIO && isatty(STDOUT_FILENO));
}

static void written(struct io_operation *write, int result)
{
	struct stdout_sink *sink = write->owner;

	sink->node->busy--;
	take_written(sink, result > 0 ? (uint64_t)result : 0);
	if (result >= 0) {
		say_working(sink);
	} else if (result == -EAGAIN) {
		wait_until_writable(sink);
	} else if (means_gone(-result)) {
		reader_gone(sink);
	} else if (result != -EINTR && result != -ECANCELED) {
		say_failing(sink, -result);
	}
	node_wake(sink->node);
}

static void became_writable(struct io_operation *writable, int result)
{
	struct stdout_sink *sink = writable->owner;

	(void)result; /* an error shows when writing */
	sink->node->busy--;
	node_wake(sink->node);
}

static void stdout_write(struct node *node, struct batch *in)
{
	struct stdout_sink *sink = node->state;

	if (sink->write.in_flight || sink->writable.in_flight)
		return;
	if (sink->is_gone) {
		drop_all(node, in);
		return;
	}
	if (node->due > node_now(node))
		return;
	node->due = 0;
	uint64_t bytes = gather_fill(&sink->gather, in, node->framing, NODE_MOST_A_ROUND);
	node->safe = in->taken.views;
	if (bytes == 0)
		return;
	node->busy++;
	io_write(node->loop, &sink->write, STDOUT_FILENO, sink->gather.pieces, sink->gather.count);
}

/* The reader. */

/* A pipe's writing end is never readable: the wait ends when the last reader closes, though nothing is being written. */
static void watch_reader(struct stdout_sink *sink)
{
	sink->node->busy++;
	io_poll(sink->node->loop, &sink->reader, STDOUT_FILENO, POLLIN);
}

static void reader_watched(struct io_operation *reader, int result)
{
	struct stdout_sink *sink = reader->owner;

	sink->node->busy--;
	if (result > 0 && result & POLLERR)
		reader_gone(sink);
	node_wake(sink->node);
}

/* The node. */

static void stop(struct stdout_sink *sink)
{
	sink->is_ending = true;
	io_cancel(&sink->reader);
	io_cancel(&sink->writable);
	io_cancel(&sink->write);
}

static bool stdout_end(struct node *node)
{
	stop(node->state);
	return node->busy == 0;
}

static void stdout_halt(struct node *node)
{
	stop(node->state);
}

static bool stdout_open(struct node *node, struct faults *faults)
{
	struct stdout_sink *sink = node->state;
	struct stat status;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(STDOUT_FILENO, &status) < 0)
		return node_fault(node, faults, "write to >/dev/null, or use the sink \"null\"",
			"standard output is not open for writing");
	if (!gather_open(&sink->gather))
		return node_fault(node, faults, NULL, "out of memory");
	sink->node = node;
	sink->write = (struct io_operation){ .done = written, .owner = sink };
	sink->writable = (struct io_operation){ .done = became_writable, .owner = sink };
	sink->reader = (struct io_operation){ .done = reader_watched, .owner = sink };
	node->up = true;
	if (S_ISFIFO(status.st_mode))
		watch_reader(sink);
	return true;
}

static void stdout_close(struct node *node)
{
	struct stdout_sink *sink = node->state;

	assert(node->busy == 0);
	gather_close(&sink->gather);
}

static bool stdout_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)in;
	(void)out;
	(void)faults;
	node->charge = gather_cost();
	snprintf(node->how, sizeof(node->how), "writes to standard output");
	return true;
}

const struct sink_ops sink_stdout = {
	.type = {
		.name = "stdout",
		.doc = "Writes to standard output; the run ends when its reader closes it.",
		.options = options,
		.state_size = sizeof(struct stdout_sink),
		.example = "\"stdout\"",
		.plan = stdout_plan,
		.open = stdout_open,
		.close = stdout_close,
		.halt = stdout_halt,
	},
	.write = stdout_write,
	.end = stdout_end,
};
