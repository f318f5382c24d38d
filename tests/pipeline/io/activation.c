/* Activation: sockets at the places where a service manager puts them. */

#include "pipeline/io/activation.h"

#include "tests/pipeline/io/both.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

enum { FIRST = 300 };

static void pass(const int *fds, int count, const char *names)
{
	char text[16];

	for (int i = 0; i < count; i++)
		cr_assert_eq(dup2(fds[i], FIRST + i), FIRST + i);
	snprintf(text, sizeof(text), "%d", count);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	activation_take(FIRST);
	cr_assert_null(getenv("LISTEN_FDS"));
	cr_assert_null(getenv("LISTEN_PID"));
	cr_assert_null(getenv("LISTEN_FDNAMES"));
}

static int make_inet(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

static int make_unix(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

static int connect_to(int listening)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	int fd = socket(address.ss_family, SOCK_STREAM, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

static void woken(void *owner)
{
	++*(int *)owner;
}

static void stop(struct listener *listener)
{
	listener_stop(listener);
	for (int i = 0; i < MOST_TURNS && listener->in_flight > 0; i++)
		loop_turn(listener->loop, LONG_WAIT_MS);
	cr_assert_eq(listener->count, 0);
}

static void listens_again(struct loop *loop)
{
	struct sockaddr_storage peer;
	struct activation_fault fault;
	const int fds[] = { make_inet(SOCK_STREAM), make_inet(SOCK_STREAM) };

	pass(fds, 2, "logs:logs");
	for (int round = 0; round < 2; round++) {
		int wakes = 0;
		struct listener listener = { .loop = loop, .wake = woken, .owner = &wakes };

		cr_assert(activation_listen(&listener, "logs", false, &fault));
		cr_assert_eq(listener.count, 2, "several sockets of a name are one listener");
		cr_assert_eq(listener_accept(&listener, &peer), -EAGAIN, "it does not block");
		listener_wait(&listener);
		int clients[] = { connect_to(fds[0]), connect_to(fds[1]) };
		turn_until(loop, &wakes, 2);
		for (int i = 0; i < 2; i++) {
			int accepted = listener_accept(&listener, &peer);

			cr_assert_geq(accepted, 0);
			close(accepted);
			close(clients[i]);
		}
		stop(&listener);
		close(connect_to(fds[0])); /* the queue goes on */
		int waiting = accept(fds[0], NULL, NULL);
		cr_assert_geq(waiting, 0);
		close(waiting);
	}
	activation_close();
}

Test(activation, listens_and_leaves_the_queue_to_who_comes_next)
{
	on_both(listens_again);
}

Test(activation, closes_what_nobody_listens_on)
{
	struct activation_fault fault;
	const int fds[] = { make_inet(SOCK_STREAM), make_inet(SOCK_DGRAM), make_unix(SOCK_STREAM) };
	struct listener listener = { .type = SOCK_DGRAM };

	pass(fds, 3, "a:b:c");
	cr_assert(activation_listen(&listener, "b", false, &fault));
	cr_assert_str_eq(activation_close_unused(), "a");
	cr_assert_str_eq(activation_close_unused(), "c");
	cr_assert_null(activation_close_unused());
	cr_assert_lt(fcntl(FIRST, F_GETFD), 0);
	cr_assert(fcntl(FIRST + 1, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(listener.sockets[0].fd, F_GETFD) & FD_CLOEXEC);
	listener_stop(&listener);
	activation_close();
}

static void expect_fault(
	const char *name, int type, bool local, const char *text, const char *remedy)
{
	struct activation_fault fault;
	struct listener listener = { .type = type };

	cr_assert_not(activation_listen(&listener, name, local, &fault));
	cr_expect_str_eq(fault.text, text);
	cr_expect_not_null(strstr(fault.remedy, remedy), "%s", fault.remedy);
	cr_expect_eq(listener.count, 0);
}

Test(activation, says_what_is_wrong_with_what_was_passed)
{
	const int connection = connect_to(make_inet(SOCK_STREAM));
	const int fds[] = { make_inet(SOCK_STREAM), make_inet(SOCK_DGRAM), make_unix(SOCK_STREAM),
		make_unix(SOCK_DGRAM), connection, open("/dev/null", O_RDWR) };

	pass(fds, 6, "tcp:udp:stream:datagram:open:null");
	expect_fault("udp", 0, false,
		"a UDP socket was passed under that name, and a listening TCP socket is needed",
		"for each kind");
	expect_fault("tcp", SOCK_DGRAM, false,
		"a listening TCP socket was passed under that name, and a UDP socket is needed",
		"FileDescriptorName=");
	expect_fault("stream", 0, false,
		"a listening unix socket was passed under that name, and a listening TCP socket is "
		"needed",
		"for each kind");
	expect_fault("tcp", 0, true,
		"a listening TCP socket was passed under that name, and a listening unix socket is "
		"needed",
		"for each kind");
	expect_fault("datagram", 0, true,
		"a unix socket for datagrams was passed under that name, and a listening unix "
		"socket "
		"is needed",
		"for each kind");
	expect_fault("open", 0, false,
		"a TCP connection was passed under that name, and a listening TCP socket is needed",
		"Accept=no");
	expect_fault("null", 0, false,
		"something else was passed under that name, and a listening TCP socket is needed",
		"for each kind");
	expect_fault("none", 0, false, "no socket of that name was passed",
		"passed were \"tcp\", \"udp\", \"stream\", \"datagram\", \"open\", \"null\": name");
	activation_close();
}

Test(activation, takes_only_what_is_for_this_process)
{
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	activation_take(FIRST);
	expect_fault("unknown", 0, false, "no socket of that name was passed",
		".socket unit with FileDescriptorName=unknown");
	cr_assert_null(activation_close_unused());
	cr_assert_null(getenv("LISTEN_FDS"));
}

Test(activation, calls_them_unknown_where_there_are_no_names)
{
	struct activation_fault fault;
	const int fds[] = { make_unix(SOCK_DGRAM), make_unix(SOCK_DGRAM) };
	struct listener listener = { .type = SOCK_DGRAM };

	pass(fds, 2, NULL);
	cr_assert(activation_listen(&listener, "unknown", true, &fault));
	cr_assert_eq(listener.count, 2);
	listener_stop(&listener);
	activation_close();
}

Test(activation, takes_eight_sockets_of_a_name_and_no_more)
{
	struct listener listener = { .type = SOCK_DGRAM };
	struct activation_fault fault;
	int fds[9];

	for (int i = 0; i < 9; i++)
		fds[i] = make_unix(SOCK_DGRAM);
	pass(fds, 9, "a:a:a:a:a:a:a:a:a");
	cr_assert_not(activation_listen(&listener, "a", true, &fault));
	cr_assert_str_eq(fault.text, "more than 8 sockets of that name were passed");
	cr_assert_eq(listener.count, 0);
	activation_close();
}
