/* What is said and returned where the process aborts. */
#include "daemon/bug.h"

#include "daemon/exit_status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void abort_with_stderr(int fd)
{
	struct rlimit none = { 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(fd, STDERR_FILENO);
	bug_prepare();
	abort();
}

Test(bug, is_70_and_asks_to_be_reported)
{
	char said[200] = "";
	int ends[2], status;

	cr_assert_eq(pipe(ends), 0);
	const pid_t child = fork();
	if (child == 0)
		abort_with_stderr(ends[1]);
	close(ends[1]);
	cr_assert_gt(read(ends[0], said, sizeof(said) - 1), 0);
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), STATUS_BUG);
	cr_assert_not_null(strstr(said, "this is a bug"), "%s", said);
}
