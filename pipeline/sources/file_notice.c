/* Noticing: what becomes of files as they are found, grow, shrink, go and come back. */

#include "pipeline/sources/file_notice.h"

#include "pipeline/sources/regular_file.h"

#include <errno.h>
#include <string.h>

/* The next walk is due: where changes are not told; after a directory came or went, for there will be more of them; and
 * after any change, because the kernel's queue may have overflowed. */
enum { POLL_MS = 1000, SETTLE_MS = 100, DOUBT_MS = 5000 };

static void want(struct file_follow *follow, struct followed *file)
{
	file_table_wait(&follow->table, file);
	node_wake(follow->node);
}

/* What fstat or stat says now. A file that is shorter than what was read of it was truncated. */
void file_notice_status(
	struct file_follow *follow, struct followed *file, const struct stat *status)
{
	file->size = (uint64_t)status->st_size;
	file->deleted = file->gone && status->st_nlink == 0;
	file->failed = false;
	if (file->size < file->offset)
		file->restarts = true;
	if (!file->reading && (file->restarts || file_follow_has_unread(file)))
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
		file_notice_status(follow, file, &status);
	file_follow_schedule(&follow->linger_due, file->left_at + FILE_FOLLOW_LINGER_MS);
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
	file_notice_status(follow, file, status);
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
	file_notice_status(follow, file, status);
}

/* A name that is not ours may be what one of our files was renamed to. */
static void met_elsewhere(struct file_follow *follow, struct followed *file, const char *path,
	const struct stat *status)
{
	if (!file || !file->gone)
		return;
	file_table_rename(file, path);
	file->left_at = node_now(follow->node);
	file_notice_status(follow, file, status);
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

void file_notice_look(void *owner, const char *path, bool matches)
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
		file_follow_schedule(&follow->walk_due, now + DOUBT_MS);
	if (follow->set.stale)
		file_follow_schedule(&follow->walk_due, now + SETTLE_MS);
	file_notice_set_due(follow);
}

void file_notice_walk(struct file_follow *follow)
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
		file_follow_schedule(&follow->walk_due, node_now(follow->node) + POLL_MS);
}

/* Files that are gone may still be written to. */
void file_notice_linger(struct file_follow *follow)
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
			file_notice_status(follow, file, &status);
		if (file->size != size)
			file->left_at = now;
		file_follow_schedule(&follow->linger_due, now + POLL_MS);
		if (!file->reading)
			want(follow, file);
	}
}

void file_notice_set_due(struct file_follow *follow)
{
	uint64_t due = follow->walk_due;

	if (follow->linger_due)
		file_follow_schedule(&due, follow->linger_due);
	follow->node->due = follow->draining ? 0 : due;
}
