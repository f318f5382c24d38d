/* Descriptors: the three standard ones are open, whatever started the process. */
#include "daemon/descriptors.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

Test(descriptors, closed_ones_become_the_null_device)
{
	struct stat null, found;
	const int saved = fcntl(STDERR_FILENO, F_DUPFD, 10);

	cr_assert_eq(stat("/dev/null", &null), 0);
	close(STDIN_FILENO);
	close(STDERR_FILENO);
	descriptors_fill();
	const int input = fstat(STDIN_FILENO, &found) == 0 && found.st_rdev == null.st_rdev;
	const int error = fstat(STDERR_FILENO, &found) == 0 && found.st_rdev == null.st_rdev;
	dup2(saved, STDERR_FILENO);
	cr_assert(input);
	cr_assert(error);
}

Test(descriptors, closed_ones_can_be_told)
{
	const int saved = fcntl(STDOUT_FILENO, F_DUPFD, 10);
	char byte = 'x';

	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	descriptors_fill();
	const ssize_t got = read(STDIN_FILENO, &byte, 1), put = write(STDOUT_FILENO, &byte, 1);
	dup2(saved, STDOUT_FILENO);
	cr_assert_eq(got, -1, "nothing was given, and that is no end");
	cr_assert_eq(put, -1, "nobody takes it");
}

Test(descriptors, open_ones_stay)
{
	struct stat before, after;

	cr_assert_eq(fstat(STDOUT_FILENO, &before), 0);
	descriptors_fill();
	cr_assert_eq(fstat(STDOUT_FILENO, &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
}

Test(descriptors, the_limit_rises_to_the_hard_one)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max / 2;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	descriptors_raise_limit();
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(limit.rlim_cur, limit.rlim_max);
}
