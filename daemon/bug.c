/* Bugs. */
#include "daemon/bug.h"

#include "daemon/exit_status.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

static void on_abort(int number)
{
	static const char text[] = "viewduct: this is a bug; please report the line above\n";

	(void)number;
	/* Nothing can be done where it is not written. */
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(STATUS_BUG);
}

void bug_prepare(void)
{
	struct rlimit core;
	struct sigaction action = { .sa_handler = on_abort };

	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur > 0)
		return;
	sigaction(SIGABRT, &action, NULL);
}
