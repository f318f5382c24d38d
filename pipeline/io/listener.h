/* Listeners: the listening sockets of one address, and the connections that wait on them.
 *
 * A name may stand for several addresses ("localhost" for ::1 and 127.0.0.1): each gets a socket, and together they are
 * one listener. Who owns it asks to be woken once when a connection waits, accepts what there is, and asks again.
 */
#pragma once

#include "pipeline/io/loop.h"

enum { LISTENER_MOST_SOCKETS = 8 };

struct listener;
struct sockaddr_storage;

struct listener_socket {
	struct io_operation poll;
	struct listener *listener;
	int fd;
};

struct listener {
	struct loop *loop;
	void (*wake)(
		void *owner); /* a poll has ended: a connection waits, or the listener was stopped */
	void *owner;
	int type; /* SOCK_DGRAM: sockets that are bound, for others to receive from; 0: SOCK_STREAM */
	struct listener_socket sockets[LISTENER_MOST_SOCKETS];
	bool shared; /* other listeners of this process take from the same address (SO_REUSEPORT) */
	uint32_t count;     /* sockets that are open */
	uint32_t in_flight; /* of them, those that are being polled */
	bool stopped;
};

/* Binds and listens; a `host` of "" is every address, IPv6 and IPv4, or IPv4 alone where there is no IPv6. A name is
 * looked up, and waited for. `loop`, `wake`, `owner`, `type` and `shared` are set before. NULL, or why not: a static text, or one that
 * lasts until the thread's next strerror(3); then nothing is open. */
const char *listener_open(struct listener *listener, const char *host, uint16_t port);

/* The port, where the kernel has chosen it (0); 0 if nothing is open. */
uint16_t listener_port(const struct listener *listener);

/* Asks for one wake-up when a connection waits. What is being polled already stays so. */
void listener_wait(struct listener *listener);

/* Takes a socket over that listens already, instead of listener_open(). */
void listener_adopt(struct listener *listener, int fd);

/* The next connection, non-blocking and close-on-exec, and who it is from; −EAGAIN if none waits, or accept(2)'s other
 * −errno. */
int listener_accept(struct listener *listener, struct sockaddr_storage *peer);

/* Closes the sockets, each as soon as it is no longer being polled: `wake` tells. A closed or zeroed one is allowed. */
void listener_stop(struct listener *listener);
