/* Inboxes: see the header. */

#include "pipeline/io/inbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MUCH = 32 * 1024 }; /* who brought as much has more the next time */

/* Puts it behind this one; NULL: to the front. */
static void put_behind(
	struct inbox *inbox, struct inbox_socket *previous, struct inbox_socket *socket)
{
	struct inbox_socket *next = previous ? previous->next : inbox->first;

	socket->previous = previous;
	socket->next = next;
	*(previous ? &previous->next : &inbox->first) = socket;
	*(next ? &next->previous : &inbox->last) = socket;
	inbox->count++;
	socket->readable = true;
}

/* Puts it at the end of its rank. */
static void put_in_line(struct inbox *inbox, struct inbox_socket *socket)
{
	if (socket->eager) {
		put_behind(inbox, inbox->last, socket);
		return;
	}
	put_behind(inbox, inbox->last_modest, socket);
	inbox->last_modest = socket;
}

static void take_out(struct inbox *inbox, struct inbox_socket *socket)
{
	if (inbox->last_modest == socket)
		inbox->last_modest = socket->previous;
	*(socket->previous ? &socket->previous->next : &inbox->first) = socket->next;
	*(socket->next ? &socket->next->previous : &inbox->last) = socket->previous;
	inbox->count--;
	socket->readable = false;
}

static void call_gone(struct inbox_socket *socket)
{
	void (*gone)(struct inbox_socket *) = socket->gone;

	socket->gone = NULL;
	if (gone)
		gone(socket);
}

/* A poll that failed counts as readable: receiving says what is wrong. */
static void polled(struct io_operation *poll, int result)
{
	struct inbox_socket *socket = (struct inbox_socket *)poll;
	struct inbox *inbox = socket->inbox;

	(void)result;
	if (!inbox) {
		call_gone(socket);
		return;
	}
	put_in_line(inbox, socket);
	inbox->wake(inbox->owner);
}

static void poll_again(struct inbox_socket *socket)
{
	if (socket->readable)
		take_out(socket->inbox, socket);
	io_poll(socket->inbox->loop, &socket->poll, socket->fd, POLLIN);
}

static void stop_watching(struct inbox_socket *socket)
{
	if (socket->readable)
		take_out(socket->inbox, socket);
	socket->inbox = NULL;
}

void inbox_watch(struct inbox *inbox, struct inbox_socket *socket, int fd)
{
	assert(!socket->poll.in_flight);
	assert(!socket->inbox);
	*socket = (struct inbox_socket){
		.poll = { .done = polled },
		.inbox = inbox,
		.fd = fd,
	};
	poll_again(socket);
}

void inbox_forget(struct inbox_socket *socket, void (*gone)(struct inbox_socket *socket))
{
	if (socket->inbox)
		stop_watching(socket);
	socket->gone = gone;
	if (socket->poll.in_flight)
		io_cancel(&socket->poll);
	else
		call_gone(socket);
}

/* Whose turn it is has no rank any more. */
static struct inbox_socket *move_to_end(struct inbox *inbox, struct inbox_socket *socket)
{
	if (!socket)
		return NULL;
	take_out(inbox, socket);
	put_behind(inbox, inbox->last, socket);
	return socket;
}

struct inbox_socket *inbox_next(struct inbox *inbox)
{
	return move_to_end(inbox, inbox->first);
}

struct inbox_socket *inbox_next_eager(struct inbox *inbox)
{
	struct inbox_socket *modest = inbox->last_modest;

	return move_to_end(inbox, modest && modest->next ? modest->next : inbox->first);
}

void inbox_wait(struct inbox_socket *socket)
{
	assert(socket->readable);
	poll_again(socket);
}

/* Only a socket can be asked without the risk of blocking. */
static ssize_t receive(struct inbox_socket *socket, const struct iovec *pieces, uint32_t count)
{
	struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = count };
	ssize_t answer;

	if (socket->plain)
		return readv(socket->fd, pieces, (int)count);
	if (count == 1)
		answer = recv(socket->fd, pieces->iov_base, pieces->iov_len, MSG_DONTWAIT);
	else
		answer = recvmsg(socket->fd, &message, MSG_DONTWAIT);
	if (answer >= 0 || errno != ENOTSOCK)
		return answer;
	socket->plain = true;
	return readv(socket->fd, pieces, (int)count);
}

static size_t size_of(const struct iovec *pieces, uint32_t count)
{
	size_t size = 0;

	for (uint32_t i = 0; i < count; i++)
		size += pieces[i].iov_len;
	return size;
}

static bool is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* What is polled is asked whether it is readable, not whether it has become so: a FIN that came with the last bytes, or
 * bytes that have come since, end the poll at once. So a short read needs no other that finds nothing. */
static void take_answer(struct inbox_socket *socket, size_t asked, size_t got)
{
	socket->eager = got == asked || got >= MUCH;
	if (socket->plain || got < asked)
		poll_again(socket);
}

enum receive_result inbox_receive_pieces(
	struct inbox_socket *socket, const struct iovec *pieces, uint32_t count, uint32_t *received)
{
	size_t size = size_of(pieces, count);
	ssize_t answer;

	assert(socket->readable);
	assert(size > 0);
	*received = 0;
	answer = receive(socket, pieces, count);
	if (answer > 0) {
		*received = (uint32_t)answer;
		take_answer(socket, size, (size_t)answer);
		return RECEIVED;
	}
	if (answer < 0 && is_transient(errno)) {
		socket->eager = false;
		poll_again(socket);
		return RECEIVED_NOTHING;
	}
	stop_watching(socket);
	return answer == 0 ? RECEIVED_END : RECEIVED_RESET;
}

enum receive_result inbox_receive(
	struct inbox_socket *socket, char *data, uint32_t size, uint32_t *received)
{
	const struct iovec piece = { .iov_base = data, .iov_len = size };

	return inbox_receive_pieces(socket, &piece, 1, received);
}
