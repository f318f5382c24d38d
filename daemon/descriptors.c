/* Descriptors. */
#include "daemon/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The wrong way round: who reads from such an input or writes to such an output is told so (EBADF). */
static const int ways[] = {
	[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_WRONLY
};

void descriptors_fill(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		/* open(2) gives the lowest free number: this one. Without it no message could be given either. */
		if (open("/dev/null", ways[fd]) != fd)
			abort();
	}
}

void descriptors_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		/* Refused, the old limit holds, and whoever needs more says so. */
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}
