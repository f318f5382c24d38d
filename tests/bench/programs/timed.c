/* timed: runs a command, or several joined by pipes, and says what they took.
 *
 *     timed REPORT INPUT OUTPUT COMMAND… ['|' COMMAND…]…
 *
 * INPUT is the first one's standard input, OUTPUT the last one's standard output, made anew. On descriptor REPORT:
 *
 *     started PID…
 *     ended STATUS USER SYSTEM RSS     for each; a negative status is a signal's number; seconds; KiB at the most
 *     seconds ELAPSED                  from before the first was started until all had ended
 *
 * It is a small process of its own, since a child's greatest resident memory counts that of the process it came from.
 * A SIGTERM is passed on to all of them.
 */

#include "tests/bench/shared/common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8 };

static pid_t children[MOST];
static int child_count;

static void pass_on(int signal)
{
	(void)signal;
	for (int i = 0; i < child_count; i++)
		if (children[i] > 0)
			kill(children[i], SIGTERM);
}

/* Becomes the command; the descriptors are close-on-exec but for what it is given. */
noreturn static void become(char **command, int input, int output)
{
	signal(SIGTERM, SIG_DFL);
	must(dup2(input, STDIN_FILENO), "dup2");
	must(dup2(output, STDOUT_FILENO), "dup2");
	execvp(command[0], command);
	fail(command[0]);
}

static pid_t start(char **command, int input, int output)
{
	const pid_t child = (pid_t)must(fork(), "fork");

	if (child == 0)
		become(command, input, output);
	must(close(input), "close");
	must(close(output), "close");
	return child;
}

/* Cuts the arguments at the first '|' and returns what is behind it, NULL where there is none. */
static char **cut(char **command)
{
	for (; *command; command++) {
		if (strcmp(*command, "|") == 0) {
			*command = NULL;
			return command + 1;
		}
	}
	return NULL;
}

static void start_all(char **command, int input, int output)
{
	while (command) {
		int ends[2] = { -1, output };
		char **next = cut(command);
		if (next)
			must(pipe2(ends, O_CLOEXEC), "pipe");
		if (child_count == MOST)
			fail("too many commands");
		children[child_count] = start(command, input, ends[1]);
		child_count++;
		input = ends[0];
		command = next;
	}
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void await(pid_t child, FILE *report)
{
	struct rusage usage;
	int status;

	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			fail("wait4");
	fprintf(report, "ended %d %.6f %.6f %ld\n",
		WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
		seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss);
}

int main(int count, char **arguments)
{
	if (count < 5) {
		fputs("usage: timed REPORT INPUT OUTPUT COMMAND… ['|' COMMAND…]…\n", stderr);
		return 64;
	}
	const int input = (int)must(open(arguments[2], O_RDONLY | O_CLOEXEC), arguments[2]);
	const int output = (int)must(
		open(arguments[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), arguments[3]);
	const int descriptor = (int)number(arguments[1]);
	must(fcntl(descriptor, F_SETFD, FD_CLOEXEC), "the report");
	FILE *report = fdopen(descriptor, "w");
	if (!report)
		fail("the report");
	const struct sigaction action = { .sa_handler = pass_on };
	must(sigaction(SIGTERM, &action, NULL), "sigaction");
	const uint64_t began = now();
	start_all(arguments + 4, input, output);
	fputs("started", report);
	for (int i = 0; i < child_count; i++)
		fprintf(report, " %d", (int)children[i]);
	fputs("\n", report);
	fflush(report);
	for (int i = 0; i < child_count; i++) {
		await(children[i], report);
		children[i] = 0;
	}
	fprintf(report, "seconds %.6f\n", (double)(now() - began) / 1e9);
	return fclose(report) == 0 ? 0 : 1;
}
