/* Following: each file in turn gets what its state asks for. */

#include "pipeline/sources/file_follow.h"

#include "pipeline/sources/file_notice.h"
#include "pipeline/sources/glob.h"
#include "pipeline/sources/regular_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OPEN = 1000, RETRY_MS = 1000 };

static bool may_close(const struct followed *file)
{
	return !file->reading && !file->gone;
}

/* Closes what was read longest ago; it is opened again when it changes. */
static bool close_one(struct file_follow *follow)
{
	for (struct followed *file = follow->table.first_open; file; file = file->next_open) {
		if (!may_close(file))
			continue;
		file_table_shut(&follow->table, file);
		return true;
	}
	return false;
}

/* Its name leads to something else now, or to nothing, and it was not open. */
static void lose(struct file_follow *follow, struct followed *file)
{
	node_log(follow->node, LOG_LEVEL_WARNING, "%s went away with %llu bytes unread", file->path,
		(unsigned long long)(file->size - file->offset));
	file->size = file->offset;
	file->gone = file->deleted = true;
	file_follow_schedule(&follow->walk_due, node_now(follow->node));
}

/* What cannot be opened rests until it changes; where it is descriptors that are wanting, until the next walk. */
static void fail(struct file_follow *follow, struct followed *file, int error)
{
	file->failed = true;
	node_error(follow->node, ERROR_OPEN);
	if (error == EMFILE || error == ENFILE)
		file_follow_schedule(&follow->walk_due, node_now(follow->node) + RETRY_MS);
	if (!file->said)
		node_log(follow->node, LOG_LEVEL_WARNING, "cannot read %s: %s", file->path,
			strerror(error));
	file->said = true;
}

static int open_file(struct file_follow *follow, const char *path, struct stat *status)
{
	if (follow->table.open_count >= MOST_OPEN)
		close_one(follow);
	int fd = regular_file_open(path, status);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && close_one(follow))
		return regular_file_open(path, status);
	return fd;
}

/* False if it could not be opened: what is to be done about it has changed then. */
static bool make_open(struct file_follow *follow, struct followed *file)
{
	struct stat status;

	if (file->fd >= 0)
		return true;
	int fd = open_file(follow, file->path, &status);
	if (fd < 0 && errno != 0 && errno != ENOENT && errno != ENOTDIR) {
		fail(follow, file, errno);
		return false;
	}
	if (fd < 0 || status.st_dev != file->device || status.st_ino != file->inode) {
		if (fd >= 0)
			close(fd);
		lose(follow, file);
		return false;
	}
	file->said = false;
	file_table_opened(&follow->table, file, fd);
	return true;
}

static uint32_t stream_of(const struct file_follow *follow, const struct followed *file)
{
	return follow->node->first_stream + file_table_number(&follow->table, file);
}

static bool is_finished(const struct file_follow *follow, const struct followed *file)
{
	if (!file->gone || (file_follow_has_unread(file) && !file->failed))
		return false;
	return file->deleted || follow->hurried ||
	       node_now(follow->node) >= file->left_at + FILE_FOLLOW_LINGER_MS;
}

static bool restart(struct file_follow *follow, struct followed *file, struct batch *out)
{
	if (!file_reader_end(out, stream_of(follow, file), VIEW_END))
		return false;
	node_log(follow->node, LOG_LEVEL_INFO, "%s was truncated: reading it from its start",
		file->path);
	file->restarts = false;
	file->offset = 0;
	return true;
}

static bool finish(struct file_follow *follow, struct followed *file, struct batch *out)
{
	if (!file_reader_end(out, stream_of(follow, file), VIEW_END))
		return false;
	file_table_remove(&follow->table, file);
	if (follow->crowded)
		file_follow_schedule(&follow->walk_due, node_now(follow->node));
	return true;
}

static bool break_off(struct file_follow *follow, struct followed *file, struct batch *out)
{
	if (!file_reader_end(out, stream_of(follow, file), VIEW_BROKEN))
		return false;
	file->broken = false;
	return true;
}

static bool begin(struct file_follow *follow, struct followed *file, struct file_reader *reader,
	struct batch *out)
{
	if (!make_open(follow, file))
		return true;
	if (!file_reader_begin(reader, out, file->fd, file->offset, file->size - file->offset))
		return false;
	reader->file = file;
	file->reading = true;
	file_table_rest(&follow->table, file);
	file_table_touch(&follow->table, file);
	return true;
}

/* Does the one thing that the file's state asks for, or takes it out of the line. False if there is no room. */
static bool step(struct file_follow *follow, struct followed *file, struct file_reader *reader,
	struct batch *out)
{
	if (file->broken)
		return break_off(follow, file, out);
	if (file->restarts)
		return restart(follow, file, out);
	if (file_follow_has_unread(file) && !file->failed)
		return begin(follow, file, reader, out);
	if (is_finished(follow, file))
		return finish(follow, file, out);
	file_table_rest(&follow->table, file);
	return true;
}

/* At what seems to be the end. A file that says it is longer than it can be read rests until it changes. */
static void check_end(struct file_follow *follow, struct followed *file, int result)
{
	struct stat status;
	uint64_t believed = file->size;

	if (fstat(file->fd, &status) == 0)
		file_notice_status(follow, file, &status);
	if (result == 0 && file->size == believed && file_follow_has_unread(file))
		file->size = file->offset;
}

static void read_failed(struct file_follow *follow, struct followed *file, int error)
{
	if (error == EINTR || error == EAGAIN || error == ECANCELED)
		return;
	node_log(follow->node, LOG_LEVEL_ERROR, "%s: cannot read on at byte %llu: %s", file->path,
		(unsigned long long)file->offset, strerror(error));
	file->failed = file->broken = true;
	node_error(follow->node, ERROR_READ);
}

/* What became of the read that was delivered. */
static void settle(struct file_follow *follow, struct followed *file, int result)
{
	file->reading = false;
	if (result < 0)
		read_failed(follow, file, -result);
	else
		file->offset += (uint64_t)result;
	if (result >= 0 && (result == 0 || !file_follow_has_unread(file)))
		check_end(follow, file, result);
	if (file->broken || file->restarts || file->gone || file_follow_has_unread(file))
		file_table_wait(&follow->table, file);
}

/* False if what it read has no room. */
static bool deliver(
	struct file_follow *follow, struct file_reader *reader, struct batch *out, uint64_t *quota)
{
	struct followed *file = reader->file;

	if (reader->operation.in_flight || !reader->back)
		return true;
	if (!file_reader_deliver(reader, out, stream_of(follow, file), quota))
		return false;
	reader->file = NULL;
	settle(follow, file, reader->result);
	return true;
}

static void start(struct file_follow *follow, struct file_reader *reader, struct batch *out)
{
	while (file_reader_idle(reader) && follow->table.first_waiting)
		if (!step(follow, follow->table.first_waiting, reader, out))
			return;
}

static bool all_idle(const struct file_follow *follow)
{
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++)
		if (!file_reader_idle(&follow->readers[i]))
			return false;
	return true;
}

static void look_around(struct file_follow *follow)
{
	uint64_t now = node_now(follow->node);

	if (follow->walk_due && now >= follow->walk_due)
		file_notice_walk(follow);
	if (follow->linger_due && now >= follow->linger_due)
		file_notice_linger(follow);
}

void file_follow_read(struct file_follow *follow, struct batch *out)
{
	uint64_t quota = follow->node->quota;

	if (!follow->draining)
		look_around(follow);
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++) {
		struct file_reader *reader =
			&follow->readers[(follow->first_reader + i) % FILE_FOLLOW_READERS];
		if (deliver(follow, reader, out, &quota) && !follow->draining)
			start(follow, reader, out);
	}
	follow->first_reader = (follow->first_reader + 1) % FILE_FOLLOW_READERS;
	if (follow->draining && all_idle(follow))
		follow->node->ended = true;
	file_notice_set_due(follow);
}

static void give_back(struct file_follow *follow, struct file_reader *reader)
{
	struct followed *file = reader->file;

	if (reader->operation.in_flight || !reader->back)
		return;
	file_reader_give_back(reader);
	reader->file = NULL;
	settle(follow, file, reader->result);
}

bool file_follow_rest(struct file_follow *follow, struct batch *out)
{
	uint64_t quota = follow->node->quota;

	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++) {
		struct file_reader *reader = &follow->readers[i];
		if (!out)
			give_back(follow, reader);
		else
			deliver(follow, reader, out, &quota);
		if (file_reader_idle(reader))
			file_reader_rest(reader);
	}
	return all_idle(follow);
}

void file_follow_drain(struct file_follow *follow)
{
	follow->draining = true;
	follow->node->ended = all_idle(follow);
	file_notice_set_due(follow);
}

static bool is_matched(const struct file_follow *follow, const char *pattern)
{
	for (uint32_t i = 0; i < follow->table.used; i++) {
		const char *path = follow->table.files[i].path;
		if (path && file_patterns_match_one(pattern, path) & GLOB_MATCHES)
			return true;
	}
	return false;
}

/* What is awaited may be late, or a slip of the pen. */
static void say_unmatched(struct file_follow *follow)
{
	const struct file_patterns *patterns = &follow->set.patterns;
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < patterns->count; i++) {
		if (is_matched(follow, patterns->items[i]))
			continue;
		first = first ? first : patterns->items[i];
		count++;
	}
	if (count == 1)
		node_log(follow->node, LOG_LEVEL_INFO, "nothing matches %s yet: it is awaited",
			first);
	if (count > 1)
		node_log(follow->node, LOG_LEVEL_INFO,
			"nothing matches %s yet, nor %zu more: they are awaited", first, count - 1);
}

bool file_follow_open(struct file_follow *follow, struct node *node, const struct strings *paths,
	const struct strings *exclude, uint32_t most, bool from_end, struct faults *faults)
{
	bool memory = true;

	*follow = (struct file_follow){ .node = node };
	follow->set = (struct file_set){
		.node = node, .look = file_notice_look, .owner = follow, .watches = true
	};
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++)
		memory = file_reader_open(&follow->readers[i], node, FILE_FOLLOW_READERS) && memory;
	if (!file_table_open(&follow->table, most) || !memory)
		return node_fault(node, faults, NULL, "no memory to follow files");
	if (!file_set_open(&follow->set, paths, exclude, faults))
		return false;
	follow->from_end = from_end;
	file_notice_walk(follow);
	say_unmatched(follow);
	follow->from_end = false;
	file_notice_set_due(follow);
	return true;
}

void file_follow_close(struct file_follow *follow)
{
	if (!follow->node)
		return;
	file_set_close(&follow->set);
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++) {
		struct followed *file = follow->readers[i].file;
		if (file)
			file->reading = false;
		file_reader_close(&follow->readers[i]);
	}
	file_table_close(&follow->table);
	*follow = (struct file_follow){ 0 };
}

void file_follow_halt(struct file_follow *follow)
{
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++)
		io_cancel(&follow->readers[i].operation);
}

size_t file_follow_cost(uint32_t most)
{
	return file_table_cost(most) + (FILE_FOLLOW_READERS - 1) * file_reader_cost();
}
