/* file: writes to a file, at its end.
 *
 * One write is in flight at a time. When the world fails (no room, a bad disk), what was written of a record is cut off
 * again, and the sink tries once a second: nothing is taken meanwhile, so nothing is missing afterwards.
 */

#include "pipeline/io/gather.h"
#include "pipeline/node.h"
#include "pipeline/sinks/file_target.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { WRITE_SIZE = 256 * 1024, RETRY_MS = 1000 };

struct file_sink {
	const char *path;
	bool append;

	struct file_target target;
	struct gather gather;
	struct io_operation write, poll;
	bool opened;
	bool failing;
	bool wants_reopen;
	bool halted; /* nothing may be begun any more */
};

static const struct option options[] = {
	OPTION(STRING, struct file_sink, path, .required = true, .primary = true, .is_path = true,
		.doc = "The file to write; it and its directories are made where they are missing.",
		.example = "\"errors.log\""),
	OPTION(BOOL, struct file_sink, append, .standard = "true",
		.doc = "Write behind what the file holds; otherwise it is emptied at the start."),
	OPTIONS_END
};

static bool file_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	const struct file_sink *sink = node->state;

	(void)in;
	(void)out;
	node->charge = gather_cost();
	snprintf(node->how, sizeof(node->how), "%s",
		sink->append ? "appends, gathered" : "empties the file first, gathered");
	if (sink->path[0])
		return true;
	return fault_at(faults, option_value(options, node->value, "path"),
		"write a path such as \"errors.log\"", "path is empty");
}

/* Looks how the file ends, where that matters. */
static bool look(struct node *node, struct file_target *target, char why[256])
{
	const struct file_sink *sink = node->state;
	const struct framing *framing = node->framing;

	return !framing || !framing_ends_in_delimiter(framing) ||
	       file_target_look(
		       target, sink->path, framing->delimiter, framing->delimiter_size, why);
}

static bool open_target(struct node *node, char why[256])
{
	struct file_sink *sink = node->state;
	struct file_target *target = &sink->target;

	if (!file_target_open(target, sink->path, why))
		return false;
	sink->opened = true;
	return file_target_lock(target, sink->path, why) &&
	       (sink->append || file_target_truncate(target, sink->path, why)) &&
	       look(node, target, why);
}

static void taken(struct node *node)
{
	node->safe = node->in->taken.views;
}

/* Half a delimiter is taken off again: it stays owed. */
static void cut_delimiter(struct file_sink *sink)
{
	if (file_target_cut(&sink->target, sink->gather.delimiter_written))
		sink->gather.delimiter_written = 0;
}

/* So is what was written of a record that is not whole. Where that can't be done the next write goes on behind it: then
 * the record becomes whole after all. */
static void cut_back(struct node *node)
{
	struct file_sink *sink = node->state;
	struct gather *gather = &sink->gather;
	struct batch *in = node->in;
	uint64_t written = gather->written + in->taken.bytes;

	if (in->kind == FLOW_BYTES || !sink->target.regular)
		return;
	if (gather->written == 0) {
		cut_delimiter(sink);
		return;
	}
	gather_restart(gather, in, node->framing);
	taken(node);
	uint64_t part = written - in->taken.bytes;
	if (!file_target_cut(&sink->target, part))
		gather->written = part;
}

static void fail(struct node *node, int error)
{
	struct file_sink *sink = node->state;

	if (!sink->failing)
		node_log(node, LOG_LEVEL_ERROR, "cannot write %s: %s; trying again every second",
			sink->path, strerror(error));
	sink->failing = true;
	node->up = false;
	node->due = node_now(node) + RETRY_MS;
	cut_back(node);
}

/* Only what is written whole shows that writing works again: a full disk takes what was cut off of a record, and fails
 * then. */
static void recover(struct node *node, uint64_t written)
{
	struct file_sink *sink = node->state;

	if (sink->failing && written < sink->gather.bytes)
		return;
	if (sink->failing)
		node_log(node, LOG_LEVEL_INFO, "writes %s again", sink->path);
	sink->failing = false;
	node->up = true;
	node->due = 0;
}

static void wait_for_room(struct node *node)
{
	struct file_sink *sink = node->state;

	node->busy++;
	io_poll(node->loop, &sink->poll, sink->target.fd, POLLOUT);
}

static void not_written(struct node *node, int result)
{
	struct file_sink *sink = node->state;

	gather_written(&sink->gather, node->in, 0);
	if (result == -EAGAIN && !sink->halted)
		wait_for_room(node);
	else if (result != -EAGAIN && result != -EINTR && result != -ECANCELED)
		fail(node, result == 0 ? EIO : -result);
}

static void write_done(struct io_operation *operation, int result)
{
	struct node *node = operation->owner;
	struct file_sink *sink = node->state;

	node->busy--;
	if (result > 0) {
		recover(node, (uint64_t)result);
		node->account.sent += (uint64_t)result;
		gather_written(&sink->gather, node->in, (uint64_t)result);
		taken(node);
	} else {
		not_written(node, result);
	}
	node_wake(node);
}

static void poll_done(struct io_operation *operation, int result)
{
	struct node *node = operation->owner;

	(void)result;
	node->busy--;
	node_wake(node);
}

static bool file_open(struct node *node, struct faults *faults)
{
	struct file_sink *sink = node->state;
	char why[256];

	sink->target.fd = -1;
	sink->write = (struct io_operation){ .done = write_done, .owner = node };
	sink->poll = (struct io_operation){ .done = poll_done, .owner = node };
	if (!gather_open(&sink->gather))
		return fault_at(faults, NULL, NULL, "%s: no memory to write with", node->name);
	if (!open_target(node, why))
		return fault_at(faults, NULL, NULL, "%s", why);
	sink->gather.owes_delimiter = sink->target.bare;
	node->up = true;
	return true;
}

static void close_target(struct file_sink *sink)
{
	if (sink->opened)
		file_target_close(&sink->target);
	sink->opened = false;
}

static void file_close(struct node *node)
{
	struct file_sink *sink = node->state;

	close_target(sink);
	gather_close(&sink->gather);
}

static void file_halt(struct node *node)
{
	struct file_sink *sink = node->state;

	sink->halted = true;
	io_cancel(&sink->write);
	io_cancel(&sink->poll);
}

/* How many bytes are missing from the record that is half written; 0 at a border. Bytes have borders everywhere. */
static uint64_t missing(const struct node *node)
{
	const struct file_sink *sink = node->state;
	const struct batch *in = node->in;
	uint64_t written = sink->gather.written, end = 0;

	if (in->kind == FLOW_BYTES)
		return 0;
	if (sink->gather.delimiter_written > 0)
		return 1;
	for (uint32_t i = 0; i < batch_ready(in) && end < written; i++) {
		const struct view *view = batch_peek(in, i);
		end += view->size;
		if (end >= written && view_records(view) == 0)
			written = end + 1;
	}
	return end > sink->gather.written ? end - sink->gather.written : 0;
}

/* Opens the path anew. The one that is open stays where that fails, or where the path still names it. */
static void reopen(struct node *node)
{
	struct file_sink *sink = node->state;
	struct file_target fresh;
	char why[256];

	sink->wants_reopen = false;
	if (!file_target_open(&fresh, sink->path, why)) {
		node_log(node, LOG_LEVEL_ERROR, "%s; writing on in the file that is open", why);
		return;
	}
	if (file_target_same(&fresh, &sink->target)) {
		file_target_close(&fresh);
		return;
	}
	if (!file_target_lock(&fresh, sink->path, why) || !look(node, &fresh, why)) {
		node_log(node, LOG_LEVEL_ERROR, "%s; writing on in the file that is open", why);
		file_target_close(&fresh);
		return;
	}
	file_target_close(&sink->target);
	sink->target = fresh;
	sink->gather.owes_delimiter = fresh.bare;
	node->due = 0;
}

static bool is_idle(const struct file_sink *sink)
{
	return !sink->write.in_flight && !sink->poll.in_flight;
}

/* Up to the border where the path is opened anew, or as much as a write is worth. */
static uint64_t next_size(struct node *node)
{
	struct file_sink *sink = node->state;

	if (!sink->wants_reopen)
		return WRITE_SIZE;
	uint64_t size = missing(node);
	if (size > 0)
		return size;
	reopen(node);
	return WRITE_SIZE;
}

static void file_write(struct node *node, struct batch *in)
{
	struct file_sink *sink = node->state;

	if (!is_idle(sink))
		return;
	uint64_t size = next_size(node);
	if (sink->failing && node_now(node) < node->due)
		return;
	node->due = 0;
	if (gather_fill(&sink->gather, in, node->framing, size) == 0) {
		gather_written(&sink->gather, in, 0);
		taken(node);
		return;
	}
	node->busy++;
	io_write(
		node->loop, &sink->write, sink->target.fd, sink->gather.pieces, sink->gather.count);
}

static void file_reopen(struct node *node)
{
	struct file_sink *sink = node->state;

	sink->wants_reopen = true;
	if (sink->opened && is_idle(sink) && missing(node) == 0)
		reopen(node);
}

static bool file_end(struct node *node)
{
	struct file_sink *sink = node->state;

	if (!is_idle(sink))
		return false;
	close_target(sink);
	return true;
}

const struct sink_ops sink_file = {
	.type = {
		.name = "file",
		.doc = "Writes to a file, at its end.",
		.options = options,
		.state_size = sizeof(struct file_sink),
		.plan = file_plan,
		.open = file_open,
		.close = file_close,
		.halt = file_halt,
	},
	.write = file_write,
	.end = file_end,
	.reopen = file_reopen,
};
