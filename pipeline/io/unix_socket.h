/* Unix sockets: sockets that have a path. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The longest path, without its NUL. */
enum { UNIX_PATH_MOST = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };

struct unix_socket {
	int fd;
	dev_t device; /* of the file that was made: nobody else's is removed */
	ino_t inode;
};

/* The address of a path of at most UNIX_PATH_MOST bytes. */
struct sockaddr_un unix_socket_address(const char *path);

/* Makes a non-blocking socket of the type (SOCK_STREAM: it listens) at the path, with exactly these permissions. A
 * socket that nobody answers is replaced; one that somebody does, and what is no socket, is left alone. NULL, or why
 * not, lasting until the thread's next strerror(3). */
const char *unix_socket_open(struct unix_socket *made, const char *path, int type, mode_t mode);

/* Removes the path, unless something else lies there by now. The descriptor is the caller's. A zeroed one is allowed. */
void unix_socket_remove(const struct unix_socket *made, const char *path);
