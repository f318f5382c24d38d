/* Opening regular files only. */

#include "pipeline/sources/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

const char *regular_file_refused(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	}
	return "a device";
}

static int refuse(int fd, int error)
{
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/* The path may come to name something else between looking and opening: hence O_NONBLOCK and the second look. */
int regular_file_open(const char *path, struct stat *status)
{
	if (stat(path, status) < 0)
		return -1;
	if (!S_ISREG(status->st_mode))
		return refuse(-1, 0);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, status) < 0)
		return refuse(fd, errno);
	if (!S_ISREG(status->st_mode))
		return refuse(fd, 0);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return refuse(fd, errno);
	return fd;
}
