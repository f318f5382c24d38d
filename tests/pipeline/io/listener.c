/* Listeners: addresses, names, and the connections that wait. */

#include "pipeline/io/listener.h"

#include "tests/pipeline/io/both.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void count_wake(void *owner)
{
	++*(int *)owner;
}

static void open_listener(
	struct listener *listener, struct loop *loop, const char *host, int *wakes)
{
	*listener = (struct listener){ .loop = loop, .wake = count_wake, .owner = wakes };
	const char *why = listener_open(listener, host, 0);

	cr_assert_null(why, "%s", why);
}

static int connect_four(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int accept_one(struct listener *listener)
{
	struct sockaddr_storage peer;

	return listener_accept(listener, &peer);
}

static void stop(struct listener *listener, struct loop *loop)
{
	listener_stop(listener);
	for (int i = 0; i < MOST_TURNS && listener->in_flight > 0; i++)
		loop_turn(loop, LONG_WAIT_MS);
	cr_assert_eq(listener->in_flight, 0);
	cr_assert_eq(listener->count, 0);
	listener_stop(listener);
}

static void accepts(struct loop *loop)
{
	struct listener listener;
	int wakes = 0;

	open_listener(&listener, loop, "127.0.0.1", &wakes);
	cr_assert_eq(accept_one(&listener), -EAGAIN);
	listener_wait(&listener);
	listener_wait(&listener);
	cr_assert_eq(listener.in_flight, 1);
	int client = connect_four(listener_port(&listener));
	turn_until(loop, &wakes, 1);
	int accepted = accept_one(&listener);
	cr_assert_geq(accepted, 0);
	cr_assert(fcntl(accepted, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(accepted, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(accept_one(&listener), -EAGAIN);
	listener_wait(&listener);
	stop(&listener, loop);
	cr_assert_eq(wakes, 2, "stopping tells");
	cr_assert_eq(accept_one(&listener), -EAGAIN);
	listener_wait(&listener);
	cr_assert_eq(listener.in_flight, 0);
	close(accepted);
	close(client);
}

Test(listener, wakes_once_and_accepts)
{
	on_both(accepts);
}

static void every_address(struct loop *loop)
{
	struct listener listener;
	int wakes = 0;

	open_listener(&listener, loop, "", &wakes);
	cr_assert_eq(listener.count, 1, "one socket takes both families");
	listener_wait(&listener);
	int client = connect_four(listener_port(&listener));
	turn_until(loop, &wakes, 1);
	int accepted = accept_one(&listener);
	cr_assert_geq(accepted, 0);
	close(accepted);
	close(client);
	stop(&listener, loop);
}

Test(listener, takes_ipv4_on_every_address)
{
	on_both(every_address);
}

static void refuses(struct loop *loop)
{
	struct listener first, second = { .loop = loop, .wake = count_wake };
	int wakes = 0;

	open_listener(&first, loop, "127.0.0.1", &wakes);
	second.owner = &wakes;
	cr_assert_str_eq(
		listener_open(&second, "127.0.0.1", listener_port(&first)), strerror(EADDRINUSE));
	cr_assert_eq(second.count, 0);
	cr_assert_not_null(listener_open(&second, "no-such-host.invalid", 0));
	cr_assert_str_eq(listener_open(&second, "192.0.2.1", 0), strerror(EADDRNOTAVAIL));
	stop(&first, loop);
	listener_stop(&second);
}

Test(listener, says_why_it_cannot_listen)
{
	on_both(refuses);
}
