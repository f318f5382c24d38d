/* file: writes to a file, at its end.
 *
 * One write is in flight at a time. When the world fails (no room, a bad disk), what was written of a record is cut off
 * again, and the sink tries once a second: nothing is taken meanwhile, so nothing is missing afterwards. How it syncs
 * stands in file_sync.c, how it goes from one file to another in file_move.c.
 */

#include "pipeline/sinks/file_sink.h"

#include "pipeline/io/loop.h"
#include "pipeline/sinks/remedy.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MODE = 0777, USUAL_MODE = 0640 };

static const char *const sync_names[] = { "none", "interval", "batch", NULL };

static const struct option options[] = {
	OPTION(STRING, struct file_sink, path, .required = true, .primary = true, .is_path = true,
		.doc = "The file to write; it and its directories are made where they are missing. "
		       "Conversions of strftime such as %Y-%m-%d stand for the time at which a "
		       "record is written: when it moves on, the next record begins another file. "
		       "%% is a percent sign. {shard} is the number of the pipeline's shard: 0 "
		       "where "
		       "there is one.",
		.example = "\"errors.log\""),
	OPTION(BOOL, struct file_sink, append, .standard = "true",
		.doc = "Write behind what the file holds; otherwise it is emptied at the start."),
	OPTION(STRING, struct file_sink, mode, .standard = "0640",
		.doc = "The permissions of a file that is made, whatever the umask; one that is "
		       "there keeps its own."),
	OPTION(BOOL, struct file_sink, local_time, .standard = "false",
		.doc = "The time in the path is local time; otherwise UTC."),
	OPTION(CHOICE, struct file_sink, sync, .choices = sync_names,
		.doc = "When what is written is made durable (fdatasync), and counts as written: "
		       "never, in intervals, or after each write. Where that fails, `batch` writes "
		       "once more what was not synced; `interval` cannot, and writes nothing more "
		       "until the next start. Only regular files are synced."),
	OPTION(TIME, struct file_sink, sync_every, .standard = "1s", .least = "1ms", .most = "1h",
		.doc = "With `interval`: the longest time that something written stays unsynced."),
	OPTIONS_END
};

static const struct value *value_of(const struct node *node, const char *name)
{
	return option_value(options, node->value, name);
}

static bool is_unknown(const struct value *value)
{
	return value && value->unknown;
}

static bool plan_path(const struct node *node, struct faults *faults)
{
	const struct file_sink *sink = node->state;
	const struct value *value = value_of(node, "path");
	const char *refused = file_path_refused(sink->path);

	if (!sink->path[0])
		return fault_at(
			faults, value, "write a path such as \"errors.log\"", "path is empty");
	if (!refused || is_unknown(value))
		return true;
	return fault_at(faults, value, "write %% for a percent sign",
		"\"%.2s\" is no time that a path can have", refused);
}

/* Three or four octal digits. */
static bool plan_mode(const struct node *node, struct faults *faults)
{
	struct file_sink *sink = node->state;
	const struct value *value = value_of(node, "mode");
	size_t digits = strspn(sink->mode, "01234567"), size = strlen(sink->mode);

	sink->bits = USUAL_MODE;
	if (is_unknown(value))
		return true;
	if (digits == size && (size == 3 || size == 4))
		sink->bits = (mode_t)strtoul(sink->mode, NULL, 8);
	if (digits == size && (size == 3 || size == 4) && sink->bits <= MOST_MODE)
		return true;
	return fault_at(faults, value, "write octal digits such as \"0640\"",
		"the mode is a number from 000 to 0777");
}

static bool plan_sync(const struct node *node, struct faults *faults)
{
	const struct file_sink *sink = node->state;
	const struct value *value = value_member(node->value, "sync_every");

	if (!value || sink->sync == FILE_SYNC_INTERVAL)
		return true;
	return fault_at(faults, value, "write \"sync\": \"interval\", or leave it out",
		"\"sync_every\" is not used, because \"sync\" is \"%s\"", sync_names[sink->sync]);
}

static bool file_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	static const char *const synced[] = { "", ", synced in intervals",
		", synced after each write" };
	const struct file_sink *sink = node->state;

	(void)in;
	(void)out;
	node->charge = gather_cost();
	snprintf(node->how, sizeof(node->how), "%s, gathered%s",
		sink->append ? "appends" : "empties the file first", synced[sink->sync]);
	bool good = plan_path(node, faults);
	good = plan_mode(node, faults) && good;
	return plan_sync(node, faults) && good;
}

uint64_t file_restart(struct node *node)
{
	struct file_sink *sink = node->state;
	struct batch *in = node->in;
	uint64_t written = sink->gather.written + in->taken.bytes;

	gather_restart(&sink->gather, in, node->framing);
	file_sync_tell(node);
	return written - in->taken.bytes;
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

	if (node->in->kind == FLOW_BYTES || !sink->target.regular)
		return;
	if (gather->written == 0) {
		cut_delimiter(sink);
		return;
	}
	uint64_t part = file_restart(node);
	if (!file_target_cut(&sink->target, part))
		gather->written = part;
}

void file_fail(struct node *node, const char *verb, int error)
{
	struct file_sink *sink = node->state;

	const char *remedy = remedy_for_path(error);
	char what[256], next[160];

	snprintf(what, sizeof(what), "cannot %s %s: %s", verb, file_path_text(&sink->name),
		strerror(error));
	snprintf(next, sizeof(next), "trying again every second%s%s", remedy ? ": " : "",
		remedy ? remedy : "");
	trouble_meet(&sink->trouble, node, LOG_LEVEL_ERROR, what, next);
	node->up = false;
	sink->retry_at = node_now(node) + FILE_RETRY_MS;
}

/* Only what is written whole shows that writing works again: a full disk takes what was cut off of a record, and fails
 * then. */
static void recover(struct node *node, uint64_t written)
{
	struct file_sink *sink = node->state;

	if (sink->trouble.lasts && written < sink->gather.bytes)
		return;
	if (sink->trouble.lasts)
		node_log(node, LOG_LEVEL_INFO, "writes %s again", file_path_text(&sink->name));
	trouble_end(&sink->trouble, node);
	node->up = true;
}

void file_accept(struct node *node, uint64_t bytes)
{
	struct file_sink *sink = node->state;

	recover(node, bytes);
	node->account.sent += bytes;
	gather_written(&sink->gather, node->in, bytes);
	file_sync_wrote(node);
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
	if (result == -EAGAIN && !sink->halted) {
		wait_for_room(node);
	} else if (result != -EAGAIN && result != -EINTR && result != -ECANCELED) {
		node_error(node, ERROR_WRITE);
		file_fail(node, "write", result == 0 ? EIO : -result);
		cut_back(node);
	}
}

static void written(struct node *node, uint64_t bytes)
{
	struct file_sink *sink = node->state;

	if (!file_sync_each(sink)) {
		file_accept(node, bytes);
		return;
	}
	if (sink->halted) {
		gather_written(&sink->gather, node->in, 0);
		return;
	}
	sink->written = bytes;
	file_sync_begin(node);
}

static void write_done(struct io_operation *operation, int result)
{
	struct node *node = operation->owner;

	node->busy--;
	if (result > 0)
		written(node, (uint64_t)result);
	else
		not_written(node, result);
	node_wake(node);
}

static void poll_done(struct io_operation *operation, int result)
{
	struct node *node = operation->owner;

	(void)result;
	node->busy--;
	node_wake(node);
}

/* What is to be synced lies with the sink until it is. */
static bool file_leave(struct node *node)
{
	struct file_sink *sink = node->state;

	if (sink->sync != FILE_SYNC_NONE)
		return false;
	if (sink->gather.written > 0)
		cut_back(node);
	return sink->gather.written == 0;
}

static bool file_open(struct node *node, struct faults *faults)
{
	struct file_sink *sink = node->state;
	char why[256];

	sink->target.fd = -1;
	sink->write = (struct io_operation){ .done = write_done, .owner = node };
	sink->poll = (struct io_operation){ .done = poll_done, .owner = node };
	sink->sync_operation = (struct io_operation){ .done = file_sync_done, .owner = node };
	if (!gather_open(&sink->gather))
		return node_fault(node, faults, NULL, "no memory to write with");
	if (!file_path_begin(&sink->name, sink->path, sink->local_time, node_time()))
		return node_fault(node, faults, NULL,
			"cannot create %s: it makes no path, or one too long", sink->path);
	if (!file_move_first(node, why))
		return node_fault(node, faults, remedy_for_path(sink->target.error), "%s", why);
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
	io_cancel(&sink->sync_operation);
}

uint64_t file_missing(const struct node *node)
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

/* Up to the border where another file begins, or as much as a write is worth. 0: nothing, before what is written is
 * synced. */
static uint64_t next_size(struct node *node)
{
	struct file_sink *sink = node->state;

	if (!file_move_wanted(node) || !file_move_has_frames(node))
		return NODE_MOST_A_ROUND;
	uint64_t size = sink->rewinds ? 0 : file_missing(node);
	if (size > 0)
		return size;
	if (sink->unsynced) {
		file_sync_begin(node);
		return 0;
	}
	file_move(node);
	return NODE_MOST_A_ROUND;
}

/* At once where nobody needs the thread meanwhile: pipelines come and go. */
static void begin_write(struct node *node)
{
	struct file_sink *sink = node->state;
	struct loop *loop = node->loop;
	const struct gather *gather = &sink->gather;
	int fd = sink->target.fd;

	if (sink->target.local && node_is_alone(node))
		io_write_at_once(
			loop, &sink->write, &sink->pace, fd, gather->pieces, gather->count);
	else
		io_write(loop, &sink->write, fd, gather->pieces, gather->count);
}

static void write_some(struct node *node, struct batch *in, uint64_t size)
{
	struct file_sink *sink = node->state;

	if (gather_fill(&sink->gather, in, node->framing, size) == 0) {
		gather_written(&sink->gather, in, 0);
		file_sync_tell(node);
		return;
	}
	if (file_sync_each(sink))
		sink->before = file_target_size(&sink->target);
	node->busy++;
	begin_write(node);
}

static void step(struct node *node, struct batch *in)
{
	struct file_sink *sink = node->state;

	if (file_sync_is_due(node)) {
		file_sync_begin(node);
		return;
	}
	if (!file_move_empty(node))
		return;
	uint64_t size = next_size(node);
	if (size == 0 || (sink->trouble.lasts && node_now(node) < sink->retry_at))
		return;
	sink->retry_at = 0;
	if (file_sync_rewind(node))
		write_some(node, in, size);
}

/* The next time that it wants to be called for; what is in flight calls it anyway. */
static uint64_t next_due(const struct file_sink *sink)
{
	uint64_t due = sink->trouble.lasts ? sink->retry_at : 0;

	if (!file_is_idle(sink))
		return 0;
	return sink->unsynced && (!due || sink->sync_at < due) ? sink->sync_at : due;
}

static void file_write(struct node *node, struct batch *in)
{
	const struct file_sink *sink = node->state;

	if (file_is_idle(sink) && !sink->lost)
		step(node, in);
	node->due = sink->lost ? 0 : next_due(sink);
}

static void file_reopen(struct node *node)
{
	struct file_sink *sink = node->state;

	sink->wants_reopen = true;
	file_move_ask_for_frames(node);
	if (sink->opened && file_move_has_frames(node) && file_is_idle(sink) && !sink->lost &&
		!sink->unsynced && !sink->rewinds && file_missing(node) == 0 &&
		file_move_empty(node))
		file_move(node);
}

static bool file_end(struct node *node)
{
	struct file_sink *sink = node->state;

	if (!file_is_idle(sink) || sink->lost || !file_move_empty(node))
		return false;
	if (sink->unsynced) {
		file_sync_begin(node);
		return false;
	}
	close_target(sink);
	return true;
}

static bool file_writes(const struct node *node, int64_t time, char path[PATH_MAX])
{
	const struct file_sink *sink = node->state;
	struct file_path name;

	if (!sink->path || !sink->path[0] || file_path_refused(sink->path) ||
		!file_path_begin(&name, sink->path, sink->local_time, time))
		return false;
	snprintf(path, PATH_MAX, "%s", file_path_text(&name));
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
	.writes = file_writes,
	.reopen = file_reopen,
	.leave = file_leave,
};
