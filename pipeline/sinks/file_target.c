/* Opening, locking and shortening the file of a sink. */

#include "pipeline/sinks/file_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0750, MOST_DELIMITER = 4096 };

static bool refuse(struct file_target *target, char why[256], const char *verb, const char *path)
{
	int error = errno;

	file_target_close(target);
	target->error = error;
	snprintf(why, 256, "cannot %s %s: %s", verb, path, strerror(error));
	return false;
}

/* Makes every directory on the way to the path. */
static bool make_directories(const char *path)
{
	char directory[PATH_MAX];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		if (snprintf(directory, sizeof(directory), "%.*s", (int)(at - path), path) >=
			(int)sizeof(directory)) {
			errno = ENAMETOOLONG;
			return false;
		}
		if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return false;
	}
	return true;
}

/* A FIFO is opened for both ways: then opening does not wait for a reader, and a reader that goes is no error. */
static int open_existing(const char *path, mode_t mode)
{
	struct stat status;
	bool fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
	int way = fifo ? O_RDWR : O_WRONLY;

	return open(path, way | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
}

/* The mode is exact, whatever the process's mask; a file that was there keeps its own. */
static int open_or_create(struct file_target *target, const char *path, mode_t mode)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags, mode);

	if (fd < 0)
		return errno == EEXIST ? open_existing(path, mode) : -1;
	target->made = true;
	if (fchmod(fd, mode) == 0 || errno == EPERM) /* a file system without modes */
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Those that write to memory or a disk of this machine. What is missing here is only slower. */
static bool is_local(int fd)
{
	static const uint32_t own[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC };
	struct statfs status;

	if (fstatfs(fd, &status) < 0)
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if ((uint32_t)status.f_type == own[i])
			return true;
	return false;
}

bool file_target_open(struct file_target *target, const char *path, mode_t mode, char why[256])
{
	struct stat status;

	*target = (struct file_target){ .fd = -1 };
	target->fd = open_or_create(target, path, mode);
	if (target->fd < 0 && errno == ENOENT && make_directories(path)) {
		target->made_folder = true;
		target->fd = open_or_create(target, path, mode);
	}
	if (target->fd < 0 || fstat(target->fd, &status) < 0)
		return refuse(target, why, "create", path);
	target->regular = S_ISREG(status.st_mode);
	target->local = target->regular && is_local(target->fd);
	target->device = status.st_dev;
	target->inode = status.st_ino;
	if (target->regular && fcntl(target->fd, F_SETFL, O_APPEND) < 0)
		return refuse(target, why, "write", path);
	return true;
}

/* A directory that we may not look into is one that we have not made. */
static bool sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES;
	bool good = fsync(fd) == 0 || errno == EINVAL; /* a file system that can't */
	int error = errno;
	close(fd);
	errno = error;
	return good;
}

/* The last part is taken off; what is left is "." or "/" in the end. False if nothing more can be taken off. */
static bool go_up(char directory[PATH_MAX])
{
	char *slash = strrchr(directory, '/');

	if (strcmp(directory, ".") == 0 || strcmp(directory, "/") == 0)
		return false;
	if (!slash)
		snprintf(directory, PATH_MAX, ".");
	else if (slash == directory)
		slash[1] = '\0';
	else
		*slash = '\0';
	return true;
}

bool file_target_sync_names(const struct file_target *target, const char *path, char why[256])
{
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	for (bool more = target->made && go_up(directory); more;
		more = target->made_folder && go_up(directory)) {
		if (sync_directory(directory))
			continue;
		snprintf(why, 256, "cannot sync the directory of %s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

bool file_target_same(const struct file_target *a, const struct file_target *b)
{
	return a->fd >= 0 && b->fd >= 0 && a->device == b->device && a->inode == b->inode;
}

bool file_target_lock(struct file_target *target, const char *path, char why[256])
{
	if (!target->regular || flock(target->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return true;
	target->error = errno;
	snprintf(why, 256, "cannot write %s: another process has locked it", path);
	return false;
}

/* The descriptor to write is none to read with. Who may write but not read is not to know. */
bool file_target_look(struct file_target *target, const char *path, const char *delimiter,
	size_t size, char why[256])
{
	char end[MOST_DELIMITER];
	struct stat status;

	target->bare = false;
	if (!target->regular || size == 0 || size > sizeof(end))
		return true;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool read = fd >= 0 && fstat(fd, &status) == 0;
	off_t from = read && status.st_size > (off_t)size ? status.st_size - (off_t)size : 0;
	ssize_t got = read ? pread(fd, end, size, from) : -1;
	if (fd < 0 && errno == EACCES)
		return true;
	if (got < 0)
		snprintf(why, 256, "cannot see how %s ends: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	target->bare = got > 0 && ((size_t)got < size || memcmp(end, delimiter, size) != 0);
	return got >= 0;
}

uint64_t file_target_size(const struct file_target *target)
{
	struct stat status;

	return target->regular && fstat(target->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

bool file_target_shorten(const struct file_target *target, uint64_t size)
{
	/* One that another has shortened is not made longer. */
	return file_target_size(target) <= size || ftruncate(target->fd, (off_t)size) == 0;
}

bool file_target_cut(const struct file_target *target, uint64_t bytes)
{
	struct stat status;

	if (bytes == 0)
		return true;
	if (!target->regular || fstat(target->fd, &status) < 0 || (uint64_t)status.st_size < bytes)
		return false;
	return ftruncate(target->fd, status.st_size - (off_t)bytes) == 0;
}

void file_target_close(struct file_target *target)
{
	if (target->fd >= 0) {
		/* The ring may hold the file for a moment after its last write is said to be done, and the lock with it. */
		if (target->regular)
			flock(target->fd, LOCK_UN);
		close(target->fd);
	}
	target->fd = -1;
}
