/* Following: what becomes of files as they are found, grow, shrink, go and come back. */

#include "pipeline/sources/file_follow.h"

#include "pipeline/sources/regular_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	POLL_MS = 1000, /* until the next walk, where changes are not told */
	SETTLE_MS =
		100, /* from a directory's coming or going to the walk: there will be more of them */
	DOUBT_MS = 5000,  /* from a change to the walk that finds what an overflowing queue lost */
	LINGER_MS = 5000, /* a writer may keep a renamed file for so long */
	MOST_OPEN = 1000
};

static void schedule(uint64_t *due, uint64_t at)
{
	if (*due == 0 || at < *due)
		*due = at;
}

static void set_due(struct file_follow *follow)
{
	uint64_t due = follow->walk_due;

	if (follow->linger_due)
		schedule(&due, follow->linger_due);
	follow->node->due = follow->draining ? 0 : due;
}

static void want(struct file_follow *follow, struct followed *file)
{
	file_table_wait(&follow->table, file);
	node_wake(follow->node);
}

static bool has_unread(const struct followed *file)
{
	return file->size > file->offset;
}

/* What fstat or stat says now. A file that is shorter than what was read of it was truncated. */
static void notice(struct file_follow *follow, struct followed *file, const struct stat *status)
{
	file->size = (uint64_t)status->st_size;
	file->deleted = file->gone && status->st_nlink == 0;
	file->failed = false;
	if (file->size < file->offset)
		file->restarts = true;
	if (!file->reading && (file->restarts || has_unread(file)))
		want(follow, file);
}

/* No name leads to it any more. Whether it is deleted or renamed shows where it is open. */
static void leave(struct file_follow *follow, struct followed *file)
{
	struct stat status;

	file->gone = true;
	file->left_at = node_now(follow->node);
	if (file->fd < 0)
		file->deleted = true;
	else if (fstat(file->fd, &status) == 0)
		notice(follow, file, &status);
	schedule(&follow->linger_due, file->left_at + LINGER_MS);
	if (!file->reading)
		want(follow, file);
}

static void leave_path(struct file_follow *follow, const char *path, const struct followed *now)
{
	struct followed *before = file_table_find_path(&follow->table, path);

	if (before && before != now)
		leave(follow, before);
}

static void hurry(struct file_follow *follow)
{
	follow->hurried = true;
	for (uint32_t i = 0; i < follow->table.used; i++) {
		struct followed *file = &follow->table.files[i];
		if (file->path && file->gone && !file->reading)
			want(follow, file);
	}
}

static void found(struct file_follow *follow, const char *path, const struct stat *status)
{
	leave_path(follow, path, NULL);
	struct followed *file = file_table_add(&follow->table, path, status);
	if (!file) {
		follow->crowded = true;
		if (status->st_size > 0)
			hurry(follow);
		if (!follow->said_crowded && follow->table.most > 1)
			node_log(follow->node, LOG_LEVEL_WARNING,
				"%s waits: %u files are followed already", path,
				follow->table.most);
		follow->said_crowded = true;
		return;
	}
	file->seen = follow->walk;
	file->offset = follow->from_end ? (uint64_t)status->st_size : 0;
	notice(follow, file, status);
}

static bool names(const char *path, const struct followed *file)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_dev == file->device &&
	       status.st_ino == file->inode;
}

/* A file under another name than before was renamed, unless the old name still leads to it. */
static void met_again(struct file_follow *follow, struct followed *file, const char *path,
	const struct stat *status)
{
	file->seen = follow->walk;
	if (strcmp(file->path, path) != 0 && (file->gone || !names(file->path, file))) {
		leave_path(follow, path, file);
		file_table_rename(file, path);
	}
	file->gone = false;
	notice(follow, file, status);
}

/* A name that is not ours may be what one of our files was renamed to. */
static void met_elsewhere(struct file_follow *follow, struct followed *file, const char *path,
	const struct stat *status)
{
	if (!file || !file->gone)
		return;
	file_table_rename(file, path);
	file->left_at = node_now(follow->node);
	notice(follow, file, status);
}

static void refuse(struct file_follow *follow, const char *path, const char *what)
{
	leave_path(follow, path, NULL);
	if (!follow->said_refused)
		node_log(follow->node, LOG_LEVEL_WARNING, "skipped %s: %s, not a file", path, what);
	follow->said_refused = true;
}

static void look_at(struct file_follow *follow, const char *path, bool matches)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		if (matches && (errno == ENOENT || errno == ENOTDIR))
			leave_path(follow, path, NULL);
		return;
	}
	struct followed *file = file_table_find(&follow->table, &status);
	const char *refused = regular_file_refused(status.st_mode);
	if (!matches)
		met_elsewhere(follow, file, path, &status);
	else if (refused)
		refuse(follow, path, refused);
	else if (file)
		met_again(follow, file, path, &status);
	else
		found(follow, path, &status);
}

static void look(void *owner, const char *path, bool matches)
{
	struct file_follow *follow = owner;
	uint64_t now = node_now(follow->node);

	if (follow->draining)
		return;
	if (matches || follow->linger_due)
		look_at(follow, path, matches);
	if (follow->walking)
		return;
	if (matches)
		schedule(&follow->walk_due, now + DOUBT_MS);
	if (follow->set.stale)
		schedule(&follow->walk_due, now + SETTLE_MS);
	set_due(follow);
}

static void walk(struct file_follow *follow)
{
	follow->walk++;
	follow->walk_due = 0;
	follow->crowded = follow->hurried = false;
	follow->walking = true;
	file_set_walk(&follow->set);
	follow->walking = false;
	for (uint32_t i = 0; i < follow->table.used; i++) {
		struct followed *file = &follow->table.files[i];
		if (file->path && !file->gone && file->seen != follow->walk)
			leave(follow, file);
	}
	if (follow->set.incomplete)
		schedule(&follow->walk_due, node_now(follow->node) + POLL_MS);
}

/* Files that are gone may still be written to. */
static void linger(struct file_follow *follow)
{
	uint64_t now = node_now(follow->node);
	struct stat status;

	follow->linger_due = 0;
	for (uint32_t i = 0; i < follow->table.used; i++) {
		struct followed *file = &follow->table.files[i];
		if (!file->path || !file->gone)
			continue;
		uint64_t size = file->size;
		if (file->fd >= 0 && fstat(file->fd, &status) == 0)
			notice(follow, file, &status);
		if (file->size != size)
			file->left_at = now;
		schedule(&follow->linger_due, now + POLL_MS);
		if (!file->reading)
			want(follow, file);
	}
}

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
	schedule(&follow->walk_due, node_now(follow->node));
}

/* What cannot be opened rests until it changes; where it is descriptors that are wanting, until the next walk. */
static void fail(struct file_follow *follow, struct followed *file, int error)
{
	file->failed = true;
	if (error == EMFILE || error == ENFILE)
		schedule(&follow->walk_due, node_now(follow->node) + POLL_MS);
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
	if (!file->gone || (has_unread(file) && !file->failed))
		return false;
	return file->deleted || follow->hurried ||
	       node_now(follow->node) >= file->left_at + LINGER_MS;
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
		schedule(&follow->walk_due, node_now(follow->node));
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
	if (has_unread(file) && !file->failed)
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
		notice(follow, file, &status);
	if (result == 0 && file->size == believed && has_unread(file))
		file->size = file->offset;
}

static void read_failed(struct file_follow *follow, struct followed *file, int error)
{
	if (error == EINTR || error == EAGAIN || error == ECANCELED)
		return;
	node_log(follow->node, LOG_LEVEL_ERROR, "%s: cannot read on at byte %llu: %s", file->path,
		(unsigned long long)file->offset, strerror(error));
	file->failed = file->broken = true;
}

/* What became of the read that was delivered. */
static void settle(struct file_follow *follow, struct followed *file, int result)
{
	file->reading = false;
	if (result < 0)
		read_failed(follow, file, -result);
	else
		file->offset += (uint64_t)result;
	if (result >= 0 && (result == 0 || !has_unread(file)))
		check_end(follow, file, result);
	if (file->broken || file->restarts || file->gone || has_unread(file))
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
		walk(follow);
	if (follow->linger_due && now >= follow->linger_due)
		linger(follow);
}

void file_follow_read(struct file_follow *follow, struct batch *out)
{
	uint64_t quota = follow->node->quota;

	if (!follow->draining)
		look_around(follow);
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++) {
		struct file_reader *reader = &follow->readers[i];
		if (deliver(follow, reader, out, &quota) && !follow->draining)
			start(follow, reader, out);
	}
	if (follow->draining && all_idle(follow))
		follow->node->ended = true;
	set_due(follow);
}

void file_follow_drain(struct file_follow *follow)
{
	follow->draining = true;
	follow->node->ended = all_idle(follow);
	set_due(follow);
}

bool file_follow_open(struct file_follow *follow, struct node *node, const struct strings *paths,
	const struct strings *exclude, uint32_t most, bool from_end, struct faults *faults)
{
	bool memory = true;

	*follow = (struct file_follow){ .node = node };
	follow->set =
		(struct file_set){ .node = node, .look = look, .owner = follow, .watches = true };
	for (unsigned i = 0; i < FILE_FOLLOW_READERS; i++)
		memory = file_reader_open(&follow->readers[i], node) && memory;
	if (!file_table_open(&follow->table, most) || !memory)
		return fault_at(faults, NULL, NULL, "%s: no memory to follow files", node->name);
	if (!file_set_open(&follow->set, paths, exclude, faults))
		return false;
	follow->from_end = from_end;
	walk(follow);
	follow->from_end = false;
	set_due(follow);
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
