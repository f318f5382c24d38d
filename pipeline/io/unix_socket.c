/* Unix sockets: see the header. */

#include "pipeline/io/unix_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 /* the kernel lowers it to net.core.somaxconn */ };

struct sockaddr_un unix_socket_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert(strlen(path) <= UNIX_PATH_MOST);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static int make(int type)
{
	return socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Of all answers only ECONNREFUSED says that no process has the socket: another type's is EPROTOTYPE, a full queue is
 * EAGAIN. */
static bool is_stale(const struct sockaddr_un *address, int type)
{
	int fd = make(type);

	if (fd < 0)
		return false;
	int answer = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	bool stale = answer < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static int try_bind(int fd, const struct sockaddr_un *address)
{
	return bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
}

/* 0 or an errno. What the file may be used for is narrowed before it is there, so that it is never too open; chmod(2)
 * then undoes what the umask took away. */
static int bind_path(int fd, const struct sockaddr_un *address, int type, mode_t mode)
{
	const char *path = address->sun_path;

	if (fchmod(fd, mode) < 0)
		return errno;
	int error = try_bind(fd, address);
	if (error == EADDRINUSE && !is_socket(path))
		return EEXIST;
	if (error == EADDRINUSE && is_stale(address, type) && unlink(path) == 0)
		error = try_bind(fd, address);
	if (error)
		return error;
	return chmod(path, mode) < 0 ? errno : 0;
}

static void remember(struct unix_socket *made, const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return;
	made->device = status.st_dev;
	made->inode = status.st_ino;
}

const char *unix_socket_open(struct unix_socket *made, const char *path, int type, mode_t mode)
{
	struct sockaddr_un address = unix_socket_address(path);

	*made = (struct unix_socket){ .fd = make(type) };
	if (made->fd < 0)
		return strerror(errno);
	int error = bind_path(made->fd, &address, type, mode);
	if (!error && type == SOCK_STREAM && listen(made->fd, BACKLOG) < 0)
		error = errno;
	if (!error) {
		remember(made, path);
		return NULL;
	}
	close(made->fd);
	*made = (struct unix_socket){ .fd = -1 };
	return strerror(error);
}

void unix_socket_remove(const struct unix_socket *made, const char *path)
{
	struct stat status;

	if (made->inode == 0 || lstat(path, &status) < 0)
		return;
	if (status.st_dev == made->device && status.st_ino == made->inode)
		unlink(path);
}
