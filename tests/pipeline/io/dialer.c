/* Dialers: names, addresses, peers that answer, refuse or say nothing. */

#include "pipeline/io/dialer.h"

#include "pipeline/io/unix_socket.h"
#include "tests/pipeline/io/both.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { MOST_TRIES = 64 };

struct outcome {
	int calls, result;
};

static void dialed(struct dialer *dialer, int result)
{
	struct outcome *outcome = dialer->owner;

	outcome->calls++;
	outcome->result = result;
}

static struct dialer dialer_to(
	struct loop *loop, const char *host, uint16_t port, struct outcome *outcome)
{
	return (struct dialer){
		.loop = loop, .host = host, .port = port, .done = dialed, .owner = outcome
	};
}

static int listen_here(struct sockaddr_in *address, int backlog)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	cr_assert_eq(listen(fd, backlog), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static int dial(struct loop *loop, const char *host, uint16_t port)
{
	struct outcome outcome = { 0 };
	struct dialer dialer = dialer_to(loop, host, port, &outcome);

	dialer_dial(&dialer);
	turn_until(loop, &outcome.calls, 1);
	cr_assert_not(dialer.busy);
	return outcome.result;
}

static void connects(struct loop *loop)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct sockaddr_in address;
	int listener = listen_here(&address, 8);

	for (int i = 0; i < 2; i++) {
		int fd = dial(loop, hosts[i], ntohs(address.sin_port));

		cr_assert_geq(fd, 0, "%s", dialer_reason(fd));
		cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
		cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
	close(listener);
}

Test(dialer, connects_to_a_number_and_to_each_address_of_a_name)
{
	on_both(connects);
}

static void fails(struct loop *loop)
{
	struct sockaddr_in address;
	int listener = listen_here(&address, 8);

	close(listener);
	int refused = dial(loop, "127.0.0.1", ntohs(address.sin_port));
	cr_assert_eq(refused, -ECONNREFUSED);
	cr_assert_str_eq(dialer_reason(refused), "Connection refused");
	int unknown = dial(loop, "no-such-host.invalid", 1);
	cr_assert_leq(unknown, UV_EAI_ADDRFAMILY, "a failure of looking up: %d", unknown);
	cr_assert_str_eq(dialer_reason(unknown), uv_strerror(unknown));
}

Test(dialer, says_why_it_failed)
{
	on_both(fails);
}

/* A listener whose queue is full: it answers nobody. */
static int silent_listener(struct sockaddr_in *address, int waiting[MOST_TRIES + 1])
{
	int listener = listen_here(address, 0);

	for (int i = 0; i < MOST_TRIES; i++) {
		struct pollfd made = { .events = POLLOUT };

		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		cr_assert_geq(waiting[i], 0);
		connect(waiting[i], (struct sockaddr *)address, sizeof(*address));
		made.fd = waiting[i];
		if (poll(&made, 1, 50) == 0) {
			waiting[i + 1] = -1;
			return listener;
		}
	}
	cr_assert_fail("the queue never got full");
	return -1;
}

static void close_all(int listener, const int waiting[MOST_TRIES + 1])
{
	for (int i = 0; i < MOST_TRIES && waiting[i] >= 0; i++)
		close(waiting[i]);
	close(listener);
}

static void gives_up(struct loop *loop)
{
	struct outcome outcome = { 0 };
	struct sockaddr_in address;
	int waiting[MOST_TRIES + 1];
	int listener = silent_listener(&address, waiting);
	struct dialer dialer = dialer_to(loop, "127.0.0.1", ntohs(address.sin_port), &outcome);

	dialer_dial(&dialer);
	turn_briefly(loop);
	cr_assert_eq(outcome.calls, 0);
	dialer_skip(&dialer);
	turn_until(loop, &outcome.calls, 1);
	cr_assert_eq(outcome.result, -ETIMEDOUT);
	dialer_dial(&dialer);
	dialer_cancel(&dialer);
	turn_until(loop, &outcome.calls, 2);
	cr_assert_eq(outcome.result, -ECANCELED);
	dialer_cancel(&dialer);
	turn_briefly(loop);
	cr_assert_eq(outcome.calls, 2);
	close_all(listener, waiting);
}

Test(dialer, gives_up_an_address_and_an_attempt)
{
	on_both(gives_up);
}

static void cancels_lookup(struct loop *loop)
{
	struct outcome outcome = { 0 };
	struct dialer dialer = dialer_to(loop, "localhost", 9, &outcome);

	dialer_dial(&dialer);
	cr_assert_eq(outcome.calls, 0);
	dialer_cancel(&dialer);
	turn_until(loop, &outcome.calls, 1);
	cr_assert_eq(outcome.result, -ECANCELED);
}

Test(dialer, can_be_cancelled_while_it_looks_up)
{
	on_both(cancels_lookup);
}

static int dial_path(struct loop *loop, const char *path, int type)
{
	struct outcome outcome = { 0 };
	struct dialer dialer = {
		.loop = loop, .path = path, .type = type, .done = dialed, .owner = &outcome
	};

	dialer_dial(&dialer);
	turn_until(loop, &outcome.calls, 1);
	cr_assert_not(dialer.busy);
	return outcome.result;
}

static void dials_paths(struct loop *loop)
{
	char folder[] = "/tmp/viewduct-dialer-XXXXXX", path[64];
	struct unix_socket made;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	cr_assert_eq(dial_path(loop, path, SOCK_STREAM), -ENOENT);
	cr_assert_null(unix_socket_open(&made, path, SOCK_DGRAM, 0600));
	int fd = dial_path(loop, path, SOCK_DGRAM);
	cr_assert_geq(fd, 0, "%s", dialer_reason(fd));
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	cr_assert_eq(dial_path(loop, path, SOCK_STREAM), -EPROTOTYPE);
	close(made.fd);
	cr_assert_eq(dial_path(loop, path, SOCK_DGRAM), -ECONNREFUSED);
	unix_socket_remove(&made, path);
	cr_assert_eq(rmdir(folder), 0);
}

Test(dialer, connects_to_paths)
{
	on_both(dials_paths);
}
