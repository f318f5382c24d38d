/* Inboxes: order, fairness, ends, resets, forgetting, and what is not a socket. */

#include "pipeline/io/inbox.h"

#include "tests/pipeline/io/both.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pty.h>
#include <termios.h>

TestSuite(inbox, .timeout = 60);

static void count_wake(void *owner)
{
	++*(int *)owner;
}

static struct inbox inbox_make(struct loop *loop, int *wakes)
{
	*wakes = 0;
	return (struct inbox){ .loop = loop, .wake = count_wake, .owner = wakes };
}

/* Turns until something is readable, and gives it. */
static struct inbox_socket *readable(struct inbox *inbox)
{
	for (int i = 0; i < MOST_TURNS && inbox->count == 0; i++)
		loop_turn(inbox->loop, LONG_WAIT_MS);
	cr_assert_gt(inbox->count, 0);
	return inbox_next(inbox);
}

/* The result of the next receive, whoever's it is. */
static enum receive_result receive(
	struct inbox *inbox, char *data, uint32_t size, uint32_t *received)
{
	return inbox_receive(readable(inbox), data, size, received);
}

static void forget_now(struct loop *loop, struct inbox_socket *socket)
{
	inbox_forget(socket, NULL);
	for (int i = 0; i < MOST_TURNS && socket->poll.in_flight; i++)
		loop_turn(loop, LONG_WAIT_MS);
	cr_assert(!socket->poll.in_flight);
}

/* A connected pair of TCP sockets on the loopback. */
static void tcp_pair(int sockets[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	sockets[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(sockets[1], (struct sockaddr *)&address, size), 0);
	sockets[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(sockets[0], 0);
	close(listener);
}

static void receives_until_less_than_asked_for(struct loop *loop)
{
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	uint32_t received;
	char data[4];
	int sockets[2], wakes;

	inbox = inbox_make(loop, &wakes);
	socket_pair(sockets);
	inbox_watch(&inbox, &socket, sockets[0]);
	turn_briefly(loop);
	cr_assert_null(inbox_next(&inbox));
	cr_assert_eq(write(sockets[1], "abcdef", 6), 6);
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED);
	cr_assert_eq(received, 4);
	cr_assert_eq(wakes, 1);
	cr_assert_eq(inbox_receive(&socket, data, 4, &received), RECEIVED);
	cr_assert_eq(received, 2);
	cr_assert_arr_eq(data, "ef", 2);
	cr_assert_not(socket.readable, "it is polled again");
	cr_assert_eq(inbox.count, 0);
	turn_briefly(loop);
	cr_assert_eq(inbox.count, 0);
	cr_assert_eq(write(sockets[1], "g", 1), 1);
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED);
	cr_assert_eq(wakes, 2);
	forget_now(loop, &socket);
	close(sockets[0]);
	close(sockets[1]);
}

Test(inbox, receives_until_less_than_asked_for)
{
	on_both(receives_until_less_than_asked_for);
}

static void receives_into_several_places(struct loop *loop)
{
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	uint32_t received;
	char first[2], second[8];
	struct iovec pieces[2] = { piece_of(first, 2), piece_of(second, 8) };
	int sockets[2], wakes;

	inbox = inbox_make(loop, &wakes);
	socket_pair(sockets);
	inbox_watch(&inbox, &socket, sockets[0]);
	cr_assert_eq(write(sockets[1], "abcdefghijklmn", 14), 14);
	readable(&inbox);
	cr_assert_not(socket.eager);
	cr_assert_eq(inbox_receive_pieces(&socket, pieces, 2, &received), RECEIVED);
	cr_assert_eq(received, 10);
	cr_assert(socket.eager);
	cr_assert_arr_eq(first, "ab", 2);
	cr_assert_arr_eq(second, "cdefghij", 8);
	cr_assert_eq(inbox_receive_pieces(&socket, pieces, 2, &received), RECEIVED);
	cr_assert_eq(received, 4);
	cr_assert_not(socket.eager);
	cr_assert_not(socket.readable);
	forget_now(loop, &socket);
	close(sockets[0]);
	close(sockets[1]);
}

Test(inbox, receives_into_several_places)
{
	on_both(receives_into_several_places);
}

enum { CLIENTS = 5 };

/* First come first served; who has had a turn is last. */
static void serves_in_turns(struct loop *loop)
{
	struct inbox_socket watched[CLIENTS] = { 0 };
	int sockets[CLIENTS][2], wakes;
	struct inbox inbox = inbox_make(loop, &wakes);
	uint32_t received;
	char data[2];

	for (int i = 0; i < CLIENTS; i++) {
		socket_pair(sockets[i]);
		inbox_watch(&inbox, &watched[i], sockets[i][0]);
	}
	loop_turn(loop, 0);
	for (int i = CLIENTS - 1; i >= 0; i--) {
		cr_assert_eq(write(sockets[i][1], "abcdef", 6), 6);
		for (int turn = 0; turn < MOST_TURNS && !watched[i].readable; turn++)
			loop_turn(loop, LONG_WAIT_MS);
	}
	cr_assert_eq(inbox.count, CLIENTS);
	for (int round = 0; round < 3; round++) {
		for (int i = CLIENTS - 1; i >= 0; i--) {
			cr_assert_eq(inbox_next(&inbox), &watched[i]);
			cr_assert_eq(inbox_receive(&watched[i], data, 2, &received), RECEIVED);
		}
	}
	for (int i = 0; i < CLIENTS; i++) {
		forget_now(loop, &watched[i]);
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
	cr_assert_eq(inbox.count, 0);
	cr_assert_null(inbox.first);
	cr_assert_null(inbox.last);
}

Test(inbox, serves_in_turns)
{
	on_both(serves_in_turns);
}

static void make_readable(
	struct loop *loop, const struct inbox_socket *socket, int peer, size_t size)
{
	cr_assert_eq(write(peer, "abcdef", size), (ssize_t)size);
	for (int turn = 0; turn < MOST_TURNS && !socket->readable; turn++)
		loop_turn(loop, LONG_WAIT_MS);
	cr_assert(socket->readable);
}

/* Two that brought all that they were asked for, and behind them two that have come since. */
static void puts_modest_in_front(struct loop *loop)
{
	enum { EAGER = 2, ALL = 4 };
	struct inbox_socket watched[ALL] = { 0 };
	int sockets[ALL][2], wakes;
	struct inbox inbox = inbox_make(loop, &wakes);
	uint32_t received;
	char data[2];

	for (int i = 0; i < ALL; i++) {
		socket_pair(sockets[i]);
		inbox_watch(&inbox, &watched[i], sockets[i][0]);
	}
	for (int i = 0; i < EAGER; i++) {
		make_readable(loop, &watched[i], sockets[i][1], 6);
		cr_assert_eq(inbox_next(&inbox), &watched[i]);
		cr_assert_eq(inbox_receive(&watched[i], data, 2, &received), RECEIVED);
	}
	for (int i = EAGER; i < ALL; i++)
		make_readable(loop, &watched[i], sockets[i][1], 1);
	cr_assert_eq(inbox_next_eager(&inbox), &watched[0]);
	cr_assert_eq(inbox_next(&inbox), &watched[2]);
	cr_assert_eq(inbox_receive(&watched[2], data, 2, &received), RECEIVED);
	make_readable(loop, &watched[2], sockets[2][1], 1);
	cr_assert_eq(inbox_next_eager(&inbox), &watched[1]);
	cr_assert_eq(inbox_next(&inbox), &watched[3], "first come, first served");
	cr_assert_eq(inbox_next(&inbox), &watched[2]);
	cr_assert_eq(inbox_next(&inbox), &watched[0]);
	cr_assert_eq(inbox_next_eager(&inbox), &watched[1]);
	for (int i = 0; i < ALL; i++) {
		forget_now(loop, &watched[i]);
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
	cr_assert_null(inbox.first);
	cr_assert_null(inbox.last_modest);
	cr_assert_null(inbox_next_eager(&inbox));
}

Test(inbox, puts_those_that_brought_little_in_front)
{
	on_both(puts_modest_in_front);
}

/* The last bytes and the end arrive together, before the poll comes back. */
static void an_end_with_the_last_bytes(struct loop *loop)
{
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	int sockets[2], wakes;
	uint32_t received;
	char data[64];

	inbox = inbox_make(loop, &wakes);
	tcp_pair(sockets);
	inbox_watch(&inbox, &socket, sockets[0]);
	loop_turn(loop, 0);
	cr_assert_eq(send(sockets[1], "last", 4, MSG_MORE), 4);
	shutdown(sockets[1], SHUT_WR);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED);
	cr_assert_eq(received, 4);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED_END);
	cr_assert_null(inbox_next(&inbox));
	cr_assert(!socket.poll.in_flight, "no longer watched");
	forget_now(loop, &socket);
	close(sockets[0]);
	close(sockets[1]);
}

Test(inbox, an_end_with_the_last_bytes)
{
	on_both(an_end_with_the_last_bytes);
}

static void a_reset_is_told(struct loop *loop)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	int sockets[2], wakes;
	uint32_t received;
	char data[64];

	inbox = inbox_make(loop, &wakes);
	tcp_pair(sockets);
	inbox_watch(&inbox, &socket, sockets[0]);
	loop_turn(loop, 0);
	setsockopt(sockets[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(sockets[1]);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED_RESET);
	cr_assert_eq(errno, ECONNRESET);
	cr_assert_null(inbox_next(&inbox));
	close(sockets[0]);
}

Test(inbox, a_reset_is_told)
{
	on_both(a_reset_is_told);
}

/* One that is asked when gone. */
struct mourned {
	struct inbox_socket socket; /* first */
	int times;
};

static void mourn(struct inbox_socket *socket)
{
	cr_assert(!socket->poll.in_flight);
	((struct mourned *)socket)->times++;
}

static void forgets_while_polling(struct loop *loop)
{
	struct mourned mourned = { 0 };
	struct inbox inbox;
	int sockets[2], wakes;

	inbox = inbox_make(loop, &wakes);
	socket_pair(sockets);
	for (int round = 1; round <= 3; round++) {
		inbox_watch(&inbox, &mourned.socket, sockets[0]);
		if (round != 2)
			turn_briefly(loop);
		if (round == 3)
			cr_assert_eq(
				write(sockets[1], "x", 1), 1); /* both come: data and the cancel */
		mourned.times = 0;
		inbox_forget(&mourned.socket, mourn);
		cr_assert_eq(mourned.times, 0, "a poll is in flight");
		turn_until(loop, &mourned.times, 1);
		turn_briefly(loop);
		cr_assert_eq(mourned.times, 1);
	}
	cr_assert_eq(wakes, 0);
	close(sockets[0]);
	close(sockets[1]);
}

Test(inbox, forgets_while_polling)
{
	on_both(forgets_while_polling);
}

static void forgets_what_is_readable(struct loop *loop)
{
	struct mourned mourned = { 0 };
	struct inbox inbox;
	int sockets[2], wakes;

	inbox = inbox_make(loop, &wakes);
	socket_pair(sockets);
	inbox_watch(&inbox, &mourned.socket, sockets[0]);
	cr_assert_eq(write(sockets[1], "x", 1), 1);
	cr_assert_eq(readable(&inbox), &mourned.socket);
	inbox_forget(&mourned.socket, mourn);
	cr_assert_eq(mourned.times, 1, "nothing was in flight");
	cr_assert_eq(inbox.count, 0);
	inbox_forget(&mourned.socket, mourn);
	cr_assert_eq(mourned.times, 2, "forgetting again answers too");
	close(sockets[0]);
	close(sockets[1]);
}

Test(inbox, forgets_what_is_readable)
{
	on_both(forgets_what_is_readable);
}

/* A blocking pipe: never read unless polled. */
static void reads_a_blocking_pipe(struct loop *loop)
{
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	int pipes[2], wakes;
	uint32_t received;
	char data[4];

	inbox = inbox_make(loop, &wakes);
	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	inbox_watch(&inbox, &socket, pipes[0]);
	cr_assert_eq(write(pipes[1], "abcdef", 6), 6);
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED);
	cr_assert_eq(received, 4);
	cr_assert_eq(inbox.count, 0, "only a poll may lead to the next read");
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED);
	cr_assert_eq(received, 2);
	turn_briefly(loop);
	cr_assert_eq(inbox.count, 0);
	cr_assert_eq(write(pipes[1], "g", 1), 1);
	close(pipes[1]);
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED);
	cr_assert_eq(receive(&inbox, data, 4, &received), RECEIVED_END);
	close(pipes[0]);
}

Test(inbox, reads_a_blocking_pipe)
{
	on_both(reads_a_blocking_pipe);
}

static void reads_a_terminal(struct loop *loop)
{
	struct inbox_socket socket = { 0 };
	struct inbox inbox;
	int master, slave, wakes;
	uint32_t received;
	char data[64];

	inbox = inbox_make(loop, &wakes);
	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	inbox_watch(&inbox, &socket, slave);
	cr_assert_eq(write(master, "line\n", 5), 5);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED);
	cr_assert_eq(received, 5);
	cr_assert_arr_eq(data, "line\n", 5);
	cr_assert_eq(write(master, "\004", 1), 1); /* end of input, typed */
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED_END);
	close(master);
	close(slave);
}

Test(inbox, reads_a_terminal)
{
	on_both(reads_a_terminal);
}

/* Standard input may be a regular file or /dev/null: always readable. */
static void reads_what_cannot_be_polled(struct loop *loop)
{
	struct inbox_socket sockets[2] = { 0 };
	int fds[2], wakes;
	struct inbox inbox = inbox_make(loop, &wakes);
	uint32_t received;
	char data[64];

	fds[0] = temporary_file(0);
	fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(write(fds[0], "abc", 3), 3);
	cr_assert_eq(lseek(fds[0], 0, SEEK_SET), 0);
	inbox_watch(&inbox, &sockets[0], fds[0]);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED);
	cr_assert_eq(received, 3);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED_END);
	inbox_watch(&inbox, &sockets[1], fds[1]);
	cr_assert_eq(receive(&inbox, data, sizeof(data), &received), RECEIVED_END);
	close(fds[0]);
	close(fds[1]);
}

Test(inbox, reads_what_cannot_be_polled)
{
	on_both(reads_what_cannot_be_polled);
}

enum { HERD = 2000 };

/* Many idle sockets, one that talks: each of its messages is one wake, and nothing else happens. */
static void a_herd_is_idle(struct loop *loop)
{
	static struct inbox_socket herd[HERD];
	static int sockets[HERD][2];
	struct inbox inbox;
	uint32_t received;
	char data[8];
	int wakes;

	inbox = inbox_make(loop, &wakes);
	for (int i = 0; i < HERD; i++) {
		herd[i] = (struct inbox_socket){ 0 };
		socket_pair(sockets[i]);
		inbox_watch(&inbox, &herd[i], sockets[i][0]);
	}
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(write(sockets[i * 7][1], "x", 1), 1);
		cr_assert_eq(readable(&inbox), &herd[i * 7]);
		cr_assert_eq(inbox.count, 1);
		cr_assert_eq(inbox_receive(&herd[i * 7], data, 8, &received), RECEIVED);
		cr_assert_eq(inbox.count, 0);
	}
	cr_assert_eq(wakes, 100);
	for (int i = 0; i < HERD; i++)
		inbox_forget(&herd[i], NULL);
	for (int i = 0; i < HERD; i++) {
		forget_now(loop, &herd[i]);
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
}

Test(inbox, a_herd_is_idle)
{
	raise_descriptors(HERD * 2 + 100);
	on_both(a_herd_is_idle);
}
