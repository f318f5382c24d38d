/* Bugs. */
#include "daemon/bug.h"

#include "daemon/exit_status.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

/* Others abort us too: a service manager whose watchdog heard nothing. */
static void on_abort(int number, siginfo_t *info, void *context)
{
	static const char bug[] = "viewduct: this is a bug; please report the line above\n";
	static const char told[] = "viewduct: aborted from outside, as by a watchdog\n";
	const bool is_ours = info->si_pid == getpid();

	(void)number;
	(void)context;
	/* Nothing can be done where it is not written. */
	(void)!write(
		STDERR_FILENO, is_ours ? bug : told, is_ours ? sizeof(bug) - 1 : sizeof(told) - 1);
	_exit(STATUS_BUG);
}

void bug_prepare(void)
{
	struct rlimit core;
	struct sigaction action = { .sa_sigaction = on_abort, .sa_flags = SA_SIGINFO };

	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur > 0)
		return;
	sigaction(SIGABRT, &action, NULL);
}
