/* Inboxes: the sockets of a source that have something to read, first come first served, in two ranks: those that
 * brought little the last time, which do not keep others waiting, stand in front of the eager ones.
 *
 * A watched socket is polled; when it becomes readable it is put at the end of its rank in its inbox's list and the
 * inbox's owner is woken. The source takes the first and receives from it, then the next. A socket stays readable until
 * recv(2) brought less than it was asked for; then it is polled again, which tells what is there and not what is new: a
 * FIN that came with the last data, too. Not receiving is back-pressure, for that socket alone.
 */
#pragma once

#include "pipeline/io/loop.h"

struct inbox;

struct inbox_socket {
	struct io_operation poll; /* first: the inbox finds the socket by it */
	struct inbox *inbox;
	int fd;
	bool readable;
	bool plain; /* not a socket: read(2), polled before each */
	bool eager; /* the last time it brought much, or all that it was asked for */
	void (*gone)(struct inbox_socket *socket);
	struct inbox_socket *previous, *next;
};

struct inbox {
	struct loop *loop;
	void (*wake)(void *owner); /* something became readable */
	void *owner;
	struct inbox_socket *first, *last;
	struct inbox_socket
		*last_modest; /* up to it they are not eager; NULL: nobody is in front */
	uint32_t count;       /* readable sockets */
};

enum receive_result {
	RECEIVED,         /* bytes; where it could have been more, it is being polled again */
	RECEIVED_NOTHING, /* EAGAIN: it is being polled again */
	RECEIVED_END,     /* the peer has finished; the socket is no longer watched */
	RECEIVED_RESET    /* an error; `errno` says which; the socket is no longer watched */
};

/* Begins to watch a non-blocking socket (or a pipe or terminal: read(2) is used where recv(2) is refused; read only when
 * it was polled readable, so that a shared descriptor need not be made non-blocking). */
void inbox_watch(struct inbox *inbox, struct inbox_socket *socket, int fd);

/* Ends watching: takes it out of the list and cancels its poll. `socket->poll.in_flight` stays true until the cancelled
 * poll has come back; until then its memory must stay. `gone` (may be NULL) is called from the loop, or at once if
 * nothing is in flight. */
void inbox_forget(struct inbox_socket *socket, void (*gone)(struct inbox_socket *socket));

/* The first readable socket, moved to the end of the list; NULL if none is. */
struct inbox_socket *inbox_next(struct inbox *inbox);

/* The first behind those that brought little, if there is one, or else the same: a source that calls this now and then
 * lets nobody wait for ever. */
struct inbox_socket *inbox_next_eager(struct inbox *inbox);

/* The kernel has nothing more of a readable socket that others receive from (recvmmsg(2)): polls it again. */
void inbox_wait(struct inbox_socket *socket);

/* One recv(2) of at most `size` bytes to `data`; `received` gets the bytes. */
enum receive_result inbox_receive(
	struct inbox_socket *socket, char *data, uint32_t size, uint32_t *received);

/* The same, to several places, one filled after the other. */
enum receive_result inbox_receive_pieces(struct inbox_socket *socket, const struct iovec *pieces,
	uint32_t count, uint32_t *received);
