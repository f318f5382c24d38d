/* What the file sink knows: shared by file.c, file_sync.c and file_move.c. */
#pragma once

#include "pipeline/io/gather.h"
#include "pipeline/io/pace.h"
#include "pipeline/node.h"
#include "pipeline/sinks/file_path.h"
#include "pipeline/sinks/file_target.h"
#include "pipeline/sinks/trouble.h"

enum file_sync { FILE_SYNC_NONE, FILE_SYNC_INTERVAL, FILE_SYNC_BATCH };

enum { FILE_RETRY_MS = 1000 };

struct file_sink {
	const char *path, *mode;
	bool append, local_time;
	unsigned sync; /* enum file_sync */
	uint64_t sync_every;

	mode_t bits;
	struct file_path name;
	struct file_target target;
	struct gather gather;
	struct io_operation write, poll, sync_operation; /* at most one is in flight */
	struct pace pace;                                /* of writes that are made at once */
	bool opened;
	bool empties; /* what the file held is still to be thrown away */
	bool halted;  /* nothing may be begun any more */
	struct trouble trouble;
	uint64_t retry_at; /* in trouble: when it is tried again */

	bool wants_reopen;
	struct node *codec; /* it ends its open frame first; NULL: none is awaited */
	bool move_failed;   /* the path as of the clock can't be opened: tried again then */
	uint64_t move_at;

	uint64_t written; /* batch: bytes that the sync under way is about */
	uint64_t before;  /* batch: the file's size without them */
	bool rewinds;  /* batch: the file must be `before` bytes long before anything is written */
	bool unsynced; /* interval: something is */
	uint64_t sync_at;        /* interval: and is due then */
	uint64_t synced_records; /* interval: of what was taken */
	bool lost; /* interval: what could not be synced is gone, and can't be written again */
};

static inline bool file_is_idle(const struct file_sink *sink)
{
	return !sink->write.in_flight && !sink->poll.in_flight && !sink->sync_operation.in_flight;
}

/* The world fails: says so if it did not before, and tries again in a second. `verb`: "write". */
void file_fail(struct node *node, const char *verb, int error);

/* `bytes` of what the gather holds are where they are to be: they leave the batch. */
void file_accept(struct node *node, uint64_t bytes);

/* How many bytes are missing from the record that is half written; 0 at a border. Bytes have borders everywhere. */
uint64_t file_missing(const struct node *node);

/* Forgets what was written of a record that is not whole. The bytes of it that lie in the file. */
uint64_t file_restart(struct node *node);

/* Syncing (file_sync.c). */

void file_sync_done(struct io_operation *operation, int result);
void file_sync_begin(struct node *node);

/* True if what is written must be synced before it leaves the batch. */
bool file_sync_each(const struct file_sink *sink);

/* True if something has waited for `sync_every`. */
bool file_sync_is_due(const struct node *node);

/* Something was written, and has left the batch: it is safe, or waits for the next sync. */
void file_sync_wrote(struct node *node);

/* Tells the engine how much of what was taken is safe. */
void file_sync_tell(struct node *node);

/* Takes what could not be synced off the file again. False if that fails: the sink tries again later. */
bool file_sync_rewind(struct node *node);

/* Another file (file_move.c). */

/* Opens the path as of the clock at the start. False with why it can't. */
bool file_move_first(struct node *node, char why[256]);

/* What the file held is thrown away when every node has started: a start that fails has lost nothing. False while that
 * fails. */
bool file_move_empty(struct node *node);

/* True if another file is to be opened: because that was asked for, or because the time in the path has moved on. */
bool file_move_wanted(struct node *node);

/* Asked to open its path anew, a sink writes the frame that is open then to the file that it leaves. */
void file_move_ask_for_frames(struct node *node);

/* True if it has been written, or none is awaited. */
bool file_move_has_frames(struct node *node);

/* Opens it, at a border and with nothing unsynced. The one that is open stays where that fails, or where the path still
 * names it. */
void file_move(struct node *node);
