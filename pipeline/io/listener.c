/* Listeners: see the header. */

#include "pipeline/io/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the kernel lowers it to net.core.somaxconn */

static void close_socket(struct listener_socket *socket)
{
	close(socket->fd);
	socket->fd = -1;
	socket->listener->count--;
}

static void polled(struct io_operation *poll, int result)
{
	struct listener_socket *socket = poll->owner;
	struct listener *listener = socket->listener;

	(void)result; /* an error shows when accepting */
	listener->in_flight--;
	if (listener->stopped)
		close_socket(socket);
	listener->wake(listener->owner);
}

static int set_flag(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int type_of(const struct listener *listener)
{
	return listener->type ? listener->type : SOCK_STREAM;
}

/* Two that receive datagrams at one address would take them from each other, if they were allowed to: only where
 * connections are made does SO_REUSEADDR mean nothing but remains of an earlier run. A socket for every address takes IPv4 too; one for an IPv6 address leaves IPv4's to its own. */
static bool begin_listening(
	int fd, int type, const struct addrinfo *address, bool every_address, bool shared)
{
	if (type == SOCK_STREAM && set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return false;
	if (shared && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return false;
	if (address->ai_family == AF_INET6 &&
		set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, !every_address) < 0)
		return false;
	return bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	       (type != SOCK_STREAM || listen(fd, BACKLOG) == 0);
}

void listener_adopt(struct listener *listener, int fd)
{
	assert(listener->count < LISTENER_MOST_SOCKETS);
	struct listener_socket *added = &listener->sockets[listener->count++];
	*added = (struct listener_socket){ .listener = listener, .fd = fd };
	added->poll = (struct io_operation){ .done = polled, .owner = added };
}

/* Sets errno where it fails. */
static bool add_socket(
	struct listener *listener, const struct addrinfo *address, bool every_address)
{
	int type = type_of(listener);
	int fd = socket(address->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (!begin_listening(fd, type, address, every_address, listener->shared)) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	listener_adopt(listener, fd);
	return true;
}

/* An address that this machine does not have: no IPv6, or a name's other address. */
static bool is_missing(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* The wildcard's first success is enough: it takes everything. */
static const char *listen_on_each(
	struct listener *listener, const struct addrinfo *addresses, bool every_address)
{
	int missing = EADDRNOTAVAIL;

	for (const struct addrinfo *i = addresses; i; i = i->ai_next) {
		if (listener->count == LISTENER_MOST_SOCKETS)
			break;
		if (add_socket(listener, i, every_address)) {
			if (every_address)
				break;
			continue;
		}
		if (!is_missing(errno))
			return strerror(errno);
		missing = errno;
	}
	return listener->count > 0 ? NULL : strerror(missing);
}

static const char *listen_on_name(struct listener *listener, const char *host, const char *service)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = type_of(listener),
	};
	struct addrinfo *addresses;
	int answer = getaddrinfo(host, service, &hints, &addresses);

	if (answer)
		return answer == EAI_SYSTEM ? strerror(errno) : gai_strerror(answer);
	const char *why = listen_on_each(listener, addresses, false);
	freeaddrinfo(addresses);
	return why;
}

static const char *listen_on_all(struct listener *listener, uint16_t port)
{
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any
	};
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct addrinfo second = {
		.ai_family = AF_INET,
		.ai_addr = (struct sockaddr *)&four,
		.ai_addrlen = sizeof(four),
	};
	struct addrinfo first = {
		.ai_family = AF_INET6,
		.ai_addr = (struct sockaddr *)&six,
		.ai_addrlen = sizeof(six),
		.ai_next = &second,
	};

	return listen_on_each(listener, &first, true);
}

const char *listener_open(struct listener *listener, const char *host, uint16_t port)
{
	char service[8];

	assert(listener->count == 0);
	assert(listener->wake);
	snprintf(service, sizeof(service), "%u", port);
	const char *why =
		*host ? listen_on_name(listener, host, service) : listen_on_all(listener, port);
	while (why && listener->count > 0)
		close_socket(&listener->sockets[listener->count - 1]);
	return why;
}

uint16_t listener_port(const struct listener *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = { .six = { 0 } };
	socklen_t size = sizeof(address);

	if (listener->count == 0 || getsockname(listener->sockets[0].fd, &address.any, &size) < 0)
		return 0;
	return ntohs(
		address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

void listener_wait(struct listener *listener)
{
	if (listener->stopped)
		return;
	for (uint32_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];

		if (socket->poll.in_flight)
			continue;
		listener->in_flight++;
		io_poll(listener->loop, &socket->poll, socket->fd, POLLIN);
	}
}

int listener_accept(struct listener *listener, struct sockaddr_storage *peer)
{
	if (listener->stopped)
		return -EAGAIN;
	for (uint32_t i = 0; i < listener->count; i++) {
		socklen_t size = sizeof(*peer);
		int fd = accept4(listener->sockets[i].fd, (struct sockaddr *)peer, &size,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

void listener_stop(struct listener *listener)
{
	if (listener->stopped)
		return;
	listener->stopped = true;
	for (uint32_t i = 0; i < LISTENER_MOST_SOCKETS; i++) {
		struct listener_socket *socket = &listener->sockets[i];

		if (!socket->listener || socket->fd < 0)
			continue;
		if (socket->poll.in_flight)
			io_cancel(&socket->poll);
		else
			close_socket(socket);
	}
}
