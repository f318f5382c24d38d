/* The datagrams to the service manager. */
#include "daemon/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void expect_notice(const struct sockaddr_un *address, socklen_t size, const char *path)
{
	char text[32];
	const int manager = socket(AF_UNIX, SOCK_DGRAM, 0);

	cr_assert_eq(bind(manager, (const struct sockaddr *)address, size), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	cr_assert(notify("READY=1"));
	cr_assert_eq(recv(manager, text, sizeof(text), MSG_DONTWAIT), 7);
	cr_assert_eq(memcmp(text, "READY=1", 7), 0);
	close(manager);
}

Test(notify, reaches_a_socket_in_the_file_system)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/viewduct-notify-XXXXXX";

	cr_assert_not_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
	expect_notice(&address, sizeof(address), address.sun_path);
	unlink(address.sun_path);
	rmdir(folder);
}

Test(notify, reaches_an_abstract_socket)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[64];

	snprintf(path, sizeof(path), "@viewduct-notify-%d", (int)getpid());
	memcpy(address.sun_path, path, strlen(path));
	address.sun_path[0] = '\0';
	expect_notice(
		&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)), path);
}

static void expect_interval(const char *usec, const char *pid, uint64_t wanted)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	cr_expect_eq(notify_watchdog_interval(), wanted, "%s for %s", usec ? usec : "none",
		pid ? pid : "anybody");
}

Test(notify, knows_the_interval_of_the_watchdog)
{
	char mine[16], other[16];

	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	snprintf(other, sizeof(other), "%d", (int)getppid());
	expect_interval(NULL, NULL, 0);
	expect_interval("30000000", NULL, 30000);
	expect_interval("30000000", mine, 30000);
	expect_interval("30000000", other, 0);
	expect_interval("30000000", "", 0);
	expect_interval("500", NULL, 1);
	expect_interval("0", NULL, 0);
	expect_interval("-5", NULL, 0);
	expect_interval("5s", NULL, 0);
	expect_interval("", NULL, 0);
}

Test(notify, without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_not(notify("READY=1"));
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	cr_assert_not(notify("READY=1"));
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_not(notify("READY=1"));
}
