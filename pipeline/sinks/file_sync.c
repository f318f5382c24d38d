/* Syncing: when what is written to a file is safe.
 *
 *   none       what is written is safe
 *   batch      each write is followed by fdatasync(2), and leaves the batch behind it
 *   interval   what is written leaves the batch, and is safe after the next sync
 *
 * After a sync that failed the kernel may have thrown away what it could not store, and the next one would succeed
 * nevertheless. So a failure is final for the bytes that were written: with `batch` they are cut off of the file and
 * written once more; with `interval` nobody has them any more, and the sink stops for good. Then nothing that comes behind
 * them is ever called safe, a source that keeps its place reads them again after the next start, and the daemon says when
 * it ends that they are not delivered.
 */

#include "pipeline/sinks/file_sink.h"

#include "pipeline/io/loop.h"

#include <errno.h>
#include <string.h>

bool file_sync_each(const struct file_sink *sink)
{
	return sink->sync == FILE_SYNC_BATCH && sink->target.regular;
}

bool file_sync_is_due(const struct node *node)
{
	const struct file_sink *sink = node->state;

	return sink->unsynced && node_now(node) >= sink->sync_at;
}

void file_sync_tell(struct node *node)
{
	struct file_sink *sink = node->state;
	const struct flow_count *taken = &node->in->taken;

	if (!sink->unsynced) {
		node->safe = taken->views;
		sink->synced_records = taken->records;
	}
	node->account.held = taken->records - sink->synced_records;
}

void file_sync_wrote(struct node *node)
{
	struct file_sink *sink = node->state;

	if (sink->sync == FILE_SYNC_INTERVAL && sink->target.regular && !sink->unsynced) {
		sink->unsynced = true;
		sink->sync_at = node_now(node) + sink->sync_every;
	}
	file_sync_tell(node);
}

void file_sync_begin(struct node *node)
{
	struct file_sink *sink = node->state;

	node->busy++;
	io_sync(node->loop, &sink->sync_operation, sink->target.fd);
}

static void succeed(struct node *node)
{
	struct file_sink *sink = node->state;
	uint64_t written = sink->written;

	sink->written = 0;
	sink->unsynced = false;
	if (written > 0)
		file_accept(node, written);
	else
		file_sync_tell(node);
}

static void fail(struct node *node, int error)
{
	struct file_sink *sink = node->state;

	node_error(node, ERROR_SYNC);
	if (sink->written > 0) {
		sink->written = 0;
		sink->rewinds = true;
		gather_written(&sink->gather, node->in, 0);
		file_fail(node, "sync", error);
		return;
	}
	node_log(node, LOG_LEVEL_ERROR,
		"cannot sync %s: %s; what was written since the last sync may be lost, and nothing "
		"more is written until the next start",
		file_path_text(&sink->name), strerror(error));
	sink->lost = true;
	node->up = false;
}

void file_sync_done(struct io_operation *operation, int result)
{
	struct node *node = operation->owner;
	const struct file_sink *sink = node->state;

	node->busy--;
	if (result == -EINTR && !sink->halted)
		file_sync_begin(node);
	else if (result == 0)
		succeed(node);
	else if (result != -EINTR && result != -ECANCELED)
		fail(node, -result);
	node_wake(node);
}

bool file_sync_rewind(struct node *node)
{
	struct file_sink *sink = node->state;

	if (sink->rewinds && !file_target_shorten(&sink->target, sink->before)) {
		node_error(node, ERROR_WRITE);
		file_fail(node, "shorten", errno);
		return false;
	}
	sink->rewinds = false;
	return true;
}
