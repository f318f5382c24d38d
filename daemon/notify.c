/* Tells the service manager how the daemon stands. */
#include "daemon/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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
	/* A manager that does not read must not hold up data for ever. */
	const struct timeval patience = { .tv_sec = 1 };
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	const bool sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
				  (const struct sockaddr *)&to, size) >= 0;
	close(fd);
	return sent;
}

/* 0 where the variable is not there, or no number. */
static uint64_t number_in(const char *variable)
{
	const char *text = getenv(variable);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	const uint64_t number = strtoull(text, &end, 10);
	return *end ? 0 : number;
}

uint64_t notify_watchdog_interval(void)
{
	const uint64_t microseconds = number_in("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") && number_in("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return microseconds > 0 && microseconds < 1000 ? 1 : microseconds / 1000;
}
