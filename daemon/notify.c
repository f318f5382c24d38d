/* Tells the service manager how the daemon stands. */
#include "daemon/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(to.sun_path))
		return false;
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (*path == '@')
		to.sun_path[0] = '\0'; /* an abstract name, which the address's length ends */
	const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	const bool sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
				  (const struct sockaddr *)&to, size) >= 0;
	close(fd);
	return sent;
}
