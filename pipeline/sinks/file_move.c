/* Moving: from one file to another, because the path is opened anew or the time in it has moved on. */

#include "pipeline/sinks/file_sink.h"

#include "pipeline/sinks/remedy.h"

#include <errno.h>

/* Looks how the file ends, where that matters. */
static bool look(struct node *node, struct file_target *target, const char *path, char why[256])
{
	const struct framing *framing = node->framing;

	return !framing || !framing_ends_in_delimiter(framing) ||
	       file_target_look(target, path, framing->delimiter, framing->delimiter_size, why);
}

/* What is behind opening and locking. */
static bool prepare(struct node *node, struct file_target *target, const char *path, char why[256])
{
	const struct file_sink *sink = node->state;

	if (sink->sync != FILE_SYNC_NONE && !file_target_sync_names(target, path, why))
		return false;
	return look(node, target, path, why);
}

bool file_move_first(struct node *node, char why[256])
{
	struct file_sink *sink = node->state;
	struct file_target *target = &sink->target;
	const char *path = file_path_text(&sink->name);

	if (!file_target_open(target, path, sink->bits, why))
		return false;
	sink->opened = true;
	if (!file_target_lock(target, path, why))
		return false;
	if (!prepare(node, target, path, why))
		return false;
	sink->empties = !sink->append;
	sink->gather.owes_delimiter = sink->append && target->bare;
	return true;
}

bool file_move_empty(struct node *node)
{
	struct file_sink *sink = node->state;

	if (!sink->empties)
		return true;
	if (sink->trouble.lasts && node_now(node) < sink->retry_at)
		return false;
	if (!file_target_shorten(&sink->target, 0)) {
		node_error(node, ERROR_WRITE);
		file_fail(node, "empty", errno);
		return false;
	}
	sink->empties = false;
	return true;
}

static bool path_moves(struct file_sink *sink)
{
	return sink->name.timed && file_path_moves(&sink->name, node_time());
}

/* Time makes no files that nothing is written to. */
bool file_move_wanted(struct node *node)
{
	struct file_sink *sink = node->state;

	if (sink->wants_reopen)
		return true;
	return !batch_empty(node->in) && path_moves(sink) && node_now(node) >= sink->move_at;
}

void file_move_ask_for_frames(struct node *node)
{
	struct file_sink *sink = node->state;

	sink->codec = node_frame_maker(node);
	if (sink->codec)
		sink->codec->flush = true;
}

/* A tee gives each branch every frame: what the codec counts, its sinks count alike. */
bool file_move_has_frames(struct node *node)
{
	struct file_sink *sink = node->state;
	const struct node *codec = sink->codec;

	if (!codec)
		return true;
	if (!codec->ended && (codec->flush || node->in->taken.views < codec->flushed))
		return false;
	sink->codec = NULL;
	return true;
}

static void stay(struct node *node, bool asked, const char *why, int error)
{
	struct file_sink *sink = node->state;
	const char *remedy = remedy_for_path(error);

	node_error(node, ERROR_OPEN);
	if (asked || !sink->move_failed)
		node_log(node, LOG_LEVEL_ERROR, "%s; writing on in the file that is open%s%s", why,
			remedy ? ": " : "", remedy ? remedy : "");
	sink->move_failed = true;
	sink->move_at = node_now(node) + FILE_RETRY_MS;
}

/* What could not be synced is written to the new file, from the start of its first record. */
static void leave(struct node *node)
{
	struct file_sink *sink = node->state;

	if (sink->rewinds) {
		uint64_t part = file_restart(node);
		uint64_t size = sink->before > part ? sink->before - part : 0;
		if (!file_target_shorten(&sink->target, size))
			node_log(node, LOG_LEVEL_WARNING,
				"the file that is left may end with what the next one begins with");
	}
	sink->rewinds = false;
	file_target_close(&sink->target);
}

/* Opens and locks the path, unless that is the file that is open. */
static bool open_other(
	struct node *node, struct file_target *fresh, const char *path, bool *same, char why[256])
{
	const struct file_sink *sink = node->state;

	if (!file_target_open(fresh, path, sink->bits, why))
		return false;
	*same = file_target_same(fresh, &sink->target);
	if (*same || (file_target_lock(fresh, path, why) && prepare(node, fresh, path, why)))
		return true;
	file_target_close(fresh);
	return false;
}

void file_move(struct node *node)
{
	struct file_sink *sink = node->state;
	bool moves = path_moves(sink), asked = sink->wants_reopen, same = false;
	struct file_target fresh;
	char why[256];

	sink->wants_reopen = false;
	if (!open_other(node, &fresh,
		    moves ? file_path_next(&sink->name) : file_path_text(&sink->name), &same,
		    why)) {
		stay(node, asked, why, fresh.error);
		return;
	}
	sink->move_failed = false;
	sink->move_at = 0;
	if (moves)
		file_path_move(&sink->name);
	if (same) {
		file_target_close(&fresh);
		return;
	}
	leave(node);
	sink->target = fresh;
	sink->gather.owes_delimiter = fresh.bare;
	sink->retry_at = 0;
}
