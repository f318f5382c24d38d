/* Sending and writing: partial results, slow readers, files, pipes, terminals, cancelling. */

#include "pipeline/io/loop.h"

#include "tests/pipeline/io/both.h"

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>

TestSuite(loop_output, .timeout = 60);

enum { BIG = 3 << 20, PIECES = 100 };

/* Bytes that tell where they belong. */
static char *pattern(size_t size)
{
	char *bytes = malloc(size);

	cr_assert_not_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 + i / 251);
	return bytes;
}

/* What is left of `bytes` from `from`, in at most PIECES pieces of uneven size. */
static uint32_t cut(struct iovec *pieces, char *bytes, size_t from, size_t size)
{
	uint32_t count = 0;
	size_t length = 1;

	while (from < size && count < PIECES) {
		if (length > size - from)
			length = size - from;
		pieces[count++] = piece_of(bytes + from, length);
		from += length;
		length = length * 2 % 65521 + 1;
	}
	return count;
}

/* Reads what is there and compares; gives the bytes. */
static size_t drain(int fd, const char *expected, size_t most)
{
	static char data[20000];
	ssize_t size = read(fd, data, most < sizeof(data) ? most : sizeof(data));

	if (size < 0)
		return 0;
	cr_assert_arr_eq(data, expected, (size_t)size);
	return (size_t)size;
}

typedef void output(struct loop *loop, struct io_operation *operation, int fd,
	const struct iovec *pieces, uint32_t count);

/* Moves BIG bytes from one end to the other, whose reader takes a little a turn. */
static void move(struct loop *loop, output *ask, int to, int from)
{
	char *bytes = pattern(BIG);
	struct iovec pieces[PIECES];
	struct probe probe = probe_make();
	size_t sent = 0, taken = 0;

	fcntl(from, F_SETFL, O_NONBLOCK);
	while (taken < BIG || probe.operation.in_flight) {
		if (!probe.operation.in_flight && sent < BIG)
			ask(loop, &probe.operation, to, pieces, cut(pieces, bytes, sent, BIG));
		loop_turn(loop, 0);
		if (probe.ends > 0) {
			cr_assert_gt(probe.result, 0);
			sent += (size_t)probe.result;
			probe.ends = 0;
		}
		taken += drain(from, bytes + taken, BIG - taken);
	}
	cr_assert_eq(sent, BIG);
	free(bytes);
}

static void sends_to_a_slow_reader(struct loop *loop)
{
	int sockets[2];

	socket_pair(sockets);
	move(loop, io_send, sockets[0], sockets[1]);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop_output, sends_to_a_slow_reader)
{
	on_both(sends_to_a_slow_reader);
}

static void writes_to_a_socket(struct loop *loop)
{
	int sockets[2];

	socket_pair(sockets);
	fcntl(sockets[0], F_SETFL, 0);
	move(loop, io_write, sockets[0], sockets[1]);
	close(sockets[0]);
	close(sockets[1]);
}

Test(loop_output, writes_to_a_socket)
{
	on_both(writes_to_a_socket);
}

static void writes_to_a_pipe(struct loop *loop)
{
	int pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	move(loop, io_write, pipes[1], pipes[0]);
	close(pipes[0]);
	close(pipes[1]);
}

Test(loop_output, writes_to_a_blocking_pipe)
{
	on_both(writes_to_a_pipe);
}

static void writes_to_a_terminal(struct loop *loop)
{
	struct termios raw;
	int master, slave;

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	cr_assert_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	move(loop, io_write, slave, master);
	close(master);
	close(slave);
}

Test(loop_output, writes_to_a_terminal)
{
	on_both(writes_to_a_terminal);
}

static void a_send_to_nobody_is_an_error(struct loop *loop)
{
	struct iovec piece = piece_of("x", 1);
	struct probe probe = probe_make();
	int sockets[2];

	socket_pair(sockets);
	close(sockets[1]);
	io_send(loop, &probe.operation, sockets[0], &piece, 1);
	cr_assert_eq(probe.ends, 0, "done must not be called by the asking call");
	cr_assert_eq(end_of(loop, &probe), -EPIPE, "and no SIGPIPE");
	close(sockets[0]);
}

Test(loop_output, a_send_to_nobody_is_an_error)
{
	on_both(a_send_to_nobody_is_an_error);
}

/* Fills what takes bytes, until the operation stays in flight. */
static void fill(
	struct loop *loop, output *ask, struct probe *probe, int fd, const struct iovec *pieces)
{
	for (int i = 0; i < MOST_TURNS && (i == 0 || !probe->operation.in_flight); i++) {
		probe->ends = 0;
		ask(loop, &probe->operation, fd, pieces, 1);
		turn_briefly(loop);
	}
	cr_assert(probe->operation.in_flight);
	cr_assert_eq(probe->ends, 0);
}

/* A pipe that another made non-blocking: −EAGAIN is allowed, and a poll then leads on. */
static void writes_to_a_full_pipe(struct loop *loop)
{
	char *bytes = pattern(BIG);
	struct iovec piece = piece_of(bytes, BIG);
	struct probe probe = probe_make(), room = probe_make();
	int pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	io_write(loop, &probe.operation, pipes[1], &piece, 1);
	cr_assert_gt(end_of(loop, &probe), 0);
	cr_assert_lt(probe.result, BIG);
	io_write(loop, &probe.operation, pipes[1], &piece, 1);
	turn_briefly(loop);
	for (size_t taken = 0; taken < 65536;)
		taken += drain(pipes[0], bytes + taken, 65536 - taken);
	turn_until(loop, &probe.ends, 2);
	cr_assert(probe.result > 0 || probe.result == -EAGAIN, "%d", probe.result);
	io_poll(loop, &room.operation, pipes[1], POLLOUT);
	if (probe.result == -EAGAIN)
		cr_assert(end_of(loop, &room) & POLLOUT);
	close(pipes[0]);
	turn_until(loop, &room.ends, 1);
	close(pipes[1]);
	free(bytes);
}

Test(loop_output, writes_to_a_full_nonblocking_pipe)
{
	on_both(writes_to_a_full_pipe);
}

/* A terminal whose reader has stopped: other operations go on, and the write can be ended by its
 * reader. */
static void a_stopped_terminal_stops_nobody(struct loop *loop)
{
	char *bytes = pattern(BIG);
	struct iovec piece = piece_of(bytes, BIG);
	struct probe stopped = probe_make(), other = probe_make();
	struct termios raw;
	int master, slave, sockets[2];

	socket_pair(sockets);
	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	cr_assert_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	fill(loop, io_write, &stopped, slave, &piece);
	io_poll(loop, &other.operation, sockets[0], POLLOUT);
	cr_assert_eq(end_of(loop, &other), POLLOUT);
	io_cancel(&stopped.operation);
	close(master);
	turn_until(loop, &stopped.ends, 1);
	close(slave);
	close(sockets[0]);
	close(sockets[1]);
	free(bytes);
}

Test(loop_output, a_stopped_terminal_stops_nobody)
{
	on_both(a_stopped_terminal_stops_nobody);
}

static void cancels_a_send(struct loop *loop)
{
	char *bytes = pattern(BIG);
	struct iovec piece = piece_of(bytes, BIG);
	struct probe probe = probe_make();
	int sockets[2];

	socket_pair(sockets);
	fill(loop, io_send, &probe, sockets[0], &piece);
	io_cancel(&probe.operation);
	io_cancel(&probe.operation);
	cr_assert_eq(end_of(loop, &probe), -ECANCELED);
	turn_briefly(loop);
	cr_assert_eq(probe.ends, 1);
	close(sockets[0]);
	close(sockets[1]);
	free(bytes);
}

Test(loop_output, cancels_a_send)
{
	on_both(cancels_a_send);
}

/* A reader that has stopped must not keep the loop, or a thread, for ever. */
static void cancels_a_write_to_a_pipe(struct loop *loop)
{
	char *bytes = pattern(BIG);
	struct iovec piece = piece_of(bytes, BIG);
	struct probe probe = probe_make();
	int pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	fill(loop, io_write, &probe, pipes[1], &piece);
	io_cancel(&probe.operation);
	turn_until(loop, &probe.ends, 1);
	cr_assert(probe.result == -ECANCELED || probe.result > 0, "%d", probe.result);
	close(pipes[0]);
	close(pipes[1]);
	free(bytes);
}

Test(loop_output, cancels_a_write_to_a_pipe)
{
	on_both(cancels_a_write_to_a_pipe);
}

static void a_hung_up_reader_ends_a_send(struct loop *loop)
{
	char *bytes = pattern(BIG);
	struct iovec piece = piece_of(bytes, BIG);
	struct probe probe = probe_make();
	int sockets[2];

	socket_pair(sockets);
	fill(loop, io_send, &probe, sockets[0], &piece);
	close(sockets[1]);
	turn_until(loop, &probe.ends, 1);
	cr_assert(probe.result == -EPIPE || probe.result == -ECONNRESET, "%d", probe.result);
	close(sockets[0]);
	free(bytes);
}

Test(loop_output, a_hung_up_reader_ends_a_send)
{
	on_both(a_hung_up_reader_ends_a_send);
}

static void a_closed_pipe_is_an_error(struct loop *loop)
{
	struct iovec piece = piece_of("x", 1);
	struct probe probe = probe_make();
	int pipes[2];

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	close(pipes[0]);
	io_write(loop, &probe.operation, pipes[1], &piece, 1);
	cr_assert_eq(end_of(loop, &probe), -EPIPE);
	close(pipes[1]);
}

Test(loop_output, a_closed_pipe_is_an_error)
{
	on_both(a_closed_pipe_is_an_error);
}

static void writes_to_null(struct loop *loop)
{
	struct iovec pieces[2] = { piece_of("abc", 3), piece_of("de", 2) };
	struct probe probe = probe_make();
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	io_write(loop, &probe.operation, null, pieces, 2);
	cr_assert_eq(end_of(loop, &probe), 5);
	close(null);
}

Test(loop_output, writes_to_null)
{
	on_both(writes_to_null);
}
