/* Dialers: see the header. */

#include "pipeline/io/dialer.h"

#include "pipeline/io/unix_socket.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOKUP_FAILURES = -3000 }; /* libuv's numbers for them (UV_EAI_…) begin here, downwards */

static void finish(struct dialer *dialer, int result)
{
	if (dialer->addresses)
		freeaddrinfo(dialer->addresses);
	dialer->addresses = NULL;
	dialer->busy = false;
	if (dialer->cancelled && result >= 0) {
		close(result);
		result = -ECANCELED;
	}
	dialer->done(dialer, dialer->cancelled ? -ECANCELED : result);
}

/* Dialling a port of this machine that nobody listens on may meet the very port that the kernel has picked for us:
 * TCP then connects the socket with itself. */
static bool is_connected_to_itself(int fd)
{
	struct sockaddr_storage own = { 0 }, peer = { 0 };
	socklen_t own_size = sizeof(own), peer_size = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 &&
	       own_size == peer_size && memcmp(&own, &peer, own_size) == 0;
}

/* 0, or the errno of a connection that was made or failed. */
static int outcome(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return !error && is_connected_to_itself(fd) ? ECONNREFUSED : error;
}

enum step { CONNECTED, WAITING, FAILED };

static enum step fail(struct dialer *dialer, int error)
{
	if (dialer->fd >= 0)
		close(dialer->fd);
	dialer->fd = -1;
	dialer->error = -error;
	return FAILED;
}

static int type_of(const struct dialer *dialer)
{
	return dialer->type ? dialer->type : SOCK_STREAM;
}

/* A unix socket is connected at once or not at all; EAGAIN: the peer's queue is full. */
static int connect_path(const struct dialer *dialer)
{
	struct sockaddr_un address = unix_socket_address(dialer->path);
	int fd = socket(AF_UNIX, type_of(dialer) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = errno;
	close(fd);
	return -error;
}

static enum step connect_to(struct dialer *dialer, const struct addrinfo *address)
{
	dialer->fd = socket(address->ai_family, type_of(dialer) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dialer->fd < 0)
		return fail(dialer, errno);
	if (connect(dialer->fd, address->ai_addr, address->ai_addrlen) == 0)
		return CONNECTED;
	if (errno != EINPROGRESS && errno != EINTR)
		return fail(dialer, errno);
	io_poll(dialer->loop, &dialer->poll, dialer->fd, POLLOUT);
	return WAITING;
}

/* From `dialer->address` on. */
static void try_addresses(struct dialer *dialer)
{
	while (dialer->address && !dialer->cancelled) {
		const struct addrinfo *address = dialer->address;

		dialer->address = address->ai_next;
		enum step step = connect_to(dialer, address);
		if (step == WAITING)
			return;
		if (step == CONNECTED) {
			finish(dialer, dialer->fd);
			return;
		}
	}
	finish(dialer, dialer->error);
}

static void polled(struct io_operation *poll, int result)
{
	struct dialer *dialer = poll->owner;
	int error = result == -ECANCELED ? ETIMEDOUT : result < 0 ? -result : outcome(dialer->fd);

	if (!error) {
		finish(dialer, dialer->fd);
		return;
	}
	fail(dialer, error);
	try_addresses(dialer);
}

static void looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
	struct dialer *dialer = lookup->data;

	dialer->looking_up = false;
	if (status < 0) {
		finish(dialer, status);
		return;
	}
	dialer->addresses = dialer->address = addresses;
	try_addresses(dialer);
}

static void look_up(struct dialer *dialer, const char *service, const struct addrinfo *hints)
{
	dialer->lookup.data = dialer;
	int answer = uv_getaddrinfo(
		loop_uv(dialer->loop), &dialer->lookup, looked_up, dialer->host, service, hints);

	if (answer < 0)
		finish(dialer, answer);
	else
		dialer->looking_up = true;
}

static void begin(struct dialer *dialer)
{
	assert(!dialer->busy);
	assert(dialer->done);
	dialer->busy = true;
	dialer->cancelled = false;
	dialer->fd = -1;
	dialer->error = -EADDRNOTAVAIL;
	dialer->poll = (struct io_operation){ .done = polled, .owner = dialer };
	dialer->addresses = NULL;
}

static void dial_name(struct dialer *dialer)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST,
		.ai_family = AF_UNSPEC,
		.ai_socktype = type_of(dialer),
	};
	char service[8];

	snprintf(service, sizeof(service), "%u", dialer->port);
	if (getaddrinfo(dialer->host, service, &hints, &dialer->addresses) == 0) {
		dialer->address = dialer->addresses;
		try_addresses(dialer);
		return;
	}
	dialer->addresses = NULL;
	hints.ai_flags = AI_NUMERICSERV;
	look_up(dialer, service, &hints);
}

void dialer_dial(struct dialer *dialer)
{
	begin(dialer);
	if (dialer->path)
		finish(dialer, connect_path(dialer));
	else
		dial_name(dialer);
}

void dialer_skip(struct dialer *dialer)
{
	if (dialer->busy)
		io_cancel(&dialer->poll);
}

void dialer_cancel(struct dialer *dialer)
{
	if (!dialer->busy)
		return;
	dialer->cancelled = true;
	if (dialer->looking_up)
		uv_cancel((uv_req_t *)&dialer->lookup);
	else
		io_cancel(&dialer->poll);
}

const char *dialer_reason(int result)
{
	return result <= LOOKUP_FAILURES ? uv_strerror(result) : strerror(-result);
}
