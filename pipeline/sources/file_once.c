/* Reading each file once: what to read is decided at the start, then it is read file by file. */

#include "pipeline/sources/file_once.h"

#include "pipeline/sources/file_set.h"
#include "pipeline/sources/glob.h"
#include "pipeline/sources/regular_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MATCHES = 100 * 1000, MOST_NAMED = 100 };

struct once_match {
	char *path;
	dev_t device;
	ino_t inode;
	uint64_t size;
};

static bool make_room(struct file_once *once)
{
	if (once->count < once->room)
		return true;
	size_t room = once->room ? 2 * once->room : 64;
	struct once_match *more = realloc(once->matches, room * sizeof(*more));
	if (!more)
		return false;
	once->matches = more;
	once->room = room;
	return true;
}

/* Each is named once: they are met once. */
static void skip(struct file_once *once, const char *path, const char *why)
{
	if (++once->skipped <= MOST_NAMED)
		node_log(once->node, LOG_LEVEL_WARNING, "skipped %s: %s", path, why);
}

/* What could not be read, and should have been. One that has vanished is none of that. */
static void skip_unread(struct file_once *once, const char *path, int error)
{
	skip(once, path, strerror(error));
	node_error(once->node, ERROR_OPEN);
	once->node->account.unread += error != ENOENT && error != ENOTDIR;
}

static void say_skipped(const struct file_once *once)
{
	if (once->skipped > MOST_NAMED)
		node_log(once->node, LOG_LEVEL_WARNING,
			"skipped %" PRIu64 " files, of which the first %d were named",
			once->skipped, MOST_NAMED);
	if (once->node->account.unread > 0)
		node_log(once->node, LOG_LEVEL_ERROR,
			"%" PRIu64 " files could not be read, wholly or in part",
			once->node->account.unread);
}

/* False, and told, where the path is not to be read: then no more is to be done about it. */
static bool can_be_read(struct file_once *once, const char *path, struct stat *status)
{
	int fd = regular_file_open(path, status);

	if (fd >= 0)
		return close(fd) == 0;
	if (errno != 0)
		skip_unread(once, path, errno);
	else
		skip(once, path, regular_file_refused(status->st_mode));
	return false;
}

static void look(void *owner, const char *path, bool matches)
{
	struct file_once *once = owner;
	struct stat status;

	if (!matches || !can_be_read(once, path, &status))
		return;
	if (once->count >= MOST_MATCHES || !make_room(once)) {
		once->many = true;
		return;
	}
	struct once_match *match = &once->matches[once->count];
	*match = (struct once_match){
		.device = status.st_dev, .inode = status.st_ino, .size = (uint64_t)status.st_size
	};
	if (asprintf(&match->path, "%s", path) < 0)
		once->many = true;
	else
		once->count++;
}

static int by_name(const void *a, const void *b)
{
	const struct once_match *first = a, *second = b;

	return strcmp(first->path, second->path);
}

static int by_identity(const void *a, const void *b)
{
	const struct once_match *first = a, *second = b;

	if (first->device != second->device)
		return first->device < second->device ? -1 : 1;
	if (first->inode != second->inode)
		return first->inode < second->inode ? -1 : 1;
	return by_name(a, b);
}

static bool is_same_file(const struct once_match *a, const struct once_match *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* A file that several paths or patterns name is read once, under the first of its names. */
static void sort_matches(struct file_once *once)
{
	size_t kept = 0;

	if (once->count == 0)
		return;
	qsort(once->matches, once->count, sizeof(*once->matches), by_identity);
	for (size_t i = 1; i < once->count; i++) {
		if (is_same_file(&once->matches[kept], &once->matches[i]))
			free(once->matches[i].path);
		else
			once->matches[++kept] = once->matches[i];
	}
	once->count = kept + 1;
	qsort(once->matches, once->count, sizeof(*once->matches), by_name);
}

static uint64_t sum_of_sizes(const struct file_once *once)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < once->count; i++)
		sum += once->matches[i].size;
	return sum;
}

/* A plain path must be there, and be a file that can be read: nobody would notice that it was left out. */
static bool check_plain(const struct node *node, const char *path, struct faults *faults)
{
	struct stat status;
	int fd = regular_file_open(path, &status);

	if (fd >= 0)
		return close(fd) == 0;
	if (errno == 0)
		return node_fault(node, faults,
			"name a regular file, or files in a directory as \"dir/*\"",
			"not a file: %s is %s", path, regular_file_refused(status.st_mode));
	if (errno == ENOENT || errno == ENOTDIR)
		return node_fault(node, faults,
			"name a file that exists, or wait for it with \"follow\": true",
			"no such file: %s", path);
	return node_fault(node, faults, NULL, "cannot read %s: %s", path, strerror(errno));
}

/* Walks for one of the paths. */
static bool find(struct file_once *once, const char *path, const struct strings *exclude,
	struct faults *faults)
{
	struct file_set set = { .node = once->node, .look = look, .owner = once };
	struct strings one = { .items = &path, .count = 1 };
	size_t before = once->count;
	uint64_t unread = once->node->account.unread;

	if (!glob_is_pattern(path) && !check_plain(once->node, path, faults))
		return false;
	bool opened = file_set_open(&set, &one, exclude, faults);
	if (opened)
		file_set_walk(&set);
	once->node->account.unread += set.said_unread;
	file_set_close(&set);
	if (!opened || once->count > before || !glob_is_pattern(path))
		return opened;
	if (once->node->account.unread > unread)
		return node_fault(once->node, faults, "let this user read them",
			"nothing that matches %s can be read", path);
	return node_fault(once->node, faults,
		"name files that exist, or wait for them with \"follow\": true",
		"no such file: nothing matches %s", path);
}

bool file_once_open(struct file_once *once, struct node *node, const struct strings *paths,
	const struct strings *exclude, struct faults *faults)
{
	bool found = true;

	*once = (struct file_once){ .node = node, .fd = -1 };
	for (size_t i = 0; i < paths->count; i++)
		found = find(once, paths->items[i], exclude, faults) && found;
	if (!found)
		return false;
	if (once->many)
		return node_fault(node, faults, "name fewer files in one source",
			"more than %d files to read", MOST_MATCHES);
	sort_matches(once);
	node->expected = sum_of_sizes(once);
	if (!file_reader_open(&once->reader, node, 1))
		return node_fault(node, faults, NULL, "no memory to read with");
	return true;
}

static void close_file(struct file_once *once)
{
	if (once->fd >= 0)
		close(once->fd);
	once->fd = -1;
}

void file_once_close(struct file_once *once)
{
	if (!once->node)
		return;
	close_file(once);
	file_reader_close(&once->reader);
	for (size_t i = 0; i < once->count; i++)
		free(once->matches[i].path);
	free(once->matches);
	*once = (struct file_once){ 0 };
}

/* Opens the next file that can be opened. False if there is none. */
static bool open_next(struct file_once *once)
{
	while (once->next < once->count) {
		const char *path = once->matches[once->next++].path;
		struct stat status;

		once->fd = regular_file_open(path, &status);
		if (once->fd >= 0) {
			once->offset = 0;
			once->size = (uint64_t)status.st_size;
			return true;
		}
		if (errno != 0)
			skip_unread(once, path, errno);
		else
			skip(once, path, regular_file_refused(status.st_mode));
	}
	return false;
}

static void end_file(struct file_once *once, uint32_t mark)
{
	once->end = mark;
	close_file(once);
}

/* What became of the read that was delivered. */
static void settle(struct file_once *once)
{
	int result = once->reader.result;

	if (result > 0) {
		once->offset += (uint64_t)result;
	} else if (result == 0) {
		end_file(once, VIEW_END);
	} else if (result != -EINTR && result != -EAGAIN && result != -ECANCELED) {
		node_log(once->node, LOG_LEVEL_ERROR, "%s: cannot read on at byte %llu: %s",
			once->matches[once->next - 1].path, (unsigned long long)once->offset,
			strerror(-result));
		node_error(once->node, ERROR_READ);
		once->node->account.unread++;
		end_file(once, VIEW_BROKEN);
	}
}

static uint64_t expected(const struct file_once *once)
{
	return once->offset < once->size ? once->size - once->offset : 1;
}

void file_once_read(struct file_once *once, struct batch *out)
{
	struct node *node = once->node;
	uint64_t quota = node->quota;

	if (node->ended || once->reader.operation.in_flight)
		return;
	if (once->reader.back) {
		if (!file_reader_deliver(&once->reader, out, node->first_stream, &quota))
			return;
		settle(once);
	}
	if (once->end && !once->draining) {
		if (!file_reader_end(out, node->first_stream, once->end))
			return;
		once->end = 0;
	}
	if (once->draining || (once->fd < 0 && !open_next(once))) {
		file_reader_rest(&once->reader);
		say_skipped(once);
		node->ended = true;
		return;
	}
	if (quota > 0)
		file_reader_begin(&once->reader, out, once->fd, once->offset, expected(once));
}

bool file_once_rest(struct file_once *once, struct batch *out)
{
	uint64_t quota = once->node->quota;

	if (once->reader.operation.in_flight)
		return false;
	if (once->reader.back) {
		if (!out)
			file_reader_give_back(&once->reader);
		else if (!file_reader_deliver(&once->reader, out, once->node->first_stream, &quota))
			return false;
		settle(once);
	}
	file_reader_rest(&once->reader);
	return true;
}

void file_once_drain(struct file_once *once)
{
	once->draining = true;
	if (file_reader_idle(&once->reader)) {
		file_reader_rest(&once->reader);
		once->node->ended = true;
	}
}
