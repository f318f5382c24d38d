/* Trouble that lasts; the interval is one that a test can wait for. */

#include "pipeline/sinks/trouble.h"
#include "tests/support/running.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bound, and nobody listens. */
static int deaf_socket(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void open_away(struct running *running, uint16_t port, const char *when_full)
{
	static char text[6 << 20]; /* more than there is memory for */

	trouble_set_interval_for_tests(1);
	memset(text, 'x', sizeof(text));
	for (size_t i = 99; i < sizeof(text); i += 100)
		text[i] = '\n';
	file_put_bytes("in", text, sizeof(text));
	cr_assert(running_open(running, "'buffer':'1KiB','memory':'4MiB'",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':[{'tcp':{'connect':'127.0.0.1:%u','retry':{'first':'5ms','most':'10ms'}},"
		"'when_full':'%s'},'null']}",
		port, when_full));
}

static void close_away(struct running *running, int fd)
{
	cr_assert(engine_close(running->engine));
	running_close(running);
	trouble_set_interval_for_tests(0);
	running->log_size = 0;
	running->log[0] = '\0';
	close(fd);
}

static void names_whom_it_holds_up(struct running *running)
{
	uint16_t port;
	int fd = deaf_socket(&port);

	open_away(running, port, "block");
	running_until_log(running, "Connection refused; trying again in ");
	running_until_log(running, "times; it holds up p.from.0, p.to.1\n");
	cr_assert(strstr(running->log, "Connection refused; for "), "%s", running->log);
	close_away(running, fd);
}

Test(trouble, names_whom_it_holds_up)
{
	running_on_both(names_whom_it_holds_up);
}

static void holds_up_nobody_where_it_drops(struct running *running)
{
	uint16_t port;
	int fd = deaf_socket(&port);

	open_away(running, port, "drop");
	running_until_log(running, " 3 times\n");
	cr_assert_null(strstr(running->log, "holds up"));
	close_away(running, fd);
}

Test(trouble, holds_up_nobody_where_it_drops)
{
	running_on_both(holds_up_nobody_where_it_drops);
}

static void is_said_once_a_minute(struct running *running)
{
	uint16_t port;
	int fd = deaf_socket(&port);

	open_away(running, port, "block");
	trouble_set_interval_for_tests(0);
	struct node *sink = running_node(running, "p.to.0");
	while (sink->account.errors[ERROR_CONNECT] < 5)
		engine_turn(running->engine, 100);
	const char *first = strstr(running->log, "Connection refused");
	cr_assert_not_null(first);
	cr_assert_null(strstr(first + 1, "Connection refused"));
	close_away(running, fd);
}

Test(trouble, is_said_once_a_minute)
{
	running_on_both(is_said_once_a_minute);
}
