/* send: sends a file over a number of connections, as fast as they take it.
 *
 *     send PORT CONNECTIONS FILE
 *
 * The file is cut at ends of lines into as many parts of about the same size. It says when it began, when all was sent, and
 * when the peer had closed all connections, which it does when it has read all. sendfile copies nothing here: the
 * sockets take the very pages of the page cache.
 */

#include "tests/bench/shared/common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1024, AT_ONCE = 1 << 20 };

struct part {
	int connection;
	off_t at, end;
};

static struct part parts[MOST];

static void cut(const char *path, uint64_t count)
{
	const struct bytes file = map_file(path);
	size_t at = 0;

	for (uint64_t i = 0; i < count; i++) {
		size_t end = file.size / count * (i + 1);
		const char *feed =
			i + 1 < count ? memchr(file.data + end, '\n', file.size - end) : NULL;
		end = feed ? (size_t)(feed - file.data) + 1 : file.size;
		parts[i].at = (off_t)at;
		parts[i].end = (off_t)end;
		at = end;
	}
}

/* Sends once. True when nothing is left of the part. */
static bool send_some(struct part *part, int file)
{
	const size_t left = (size_t)(part->end - part->at);
	const ssize_t sent =
		sendfile(part->connection, file, &part->at, left < AT_ONCE ? left : AT_ONCE);

	if (sent < 0 && errno != EAGAIN)
		fail("sendfile");
	if (part->at < part->end)
		return false;
	must(shutdown(part->connection, SHUT_WR), "shutdown");
	return true;
}

static void send_one(int file)
{
	while (!send_some(&parts[0], file))
		;
}

static void send_many(int file, uint64_t count)
{
	struct epoll_event events[MOST];
	const int poll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create");

	for (uint64_t i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLOUT, .data = { .ptr = &parts[i] } };
		never_block(parts[i].connection);
		must(epoll_ctl(poll, EPOLL_CTL_ADD, parts[i].connection, &event), "epoll_ctl");
	}
	while (count > 0) {
		const long ready = must(epoll_wait(poll, events, MOST, -1), "epoll_wait");
		for (long i = 0; i < ready; i++) {
			struct part *part = events[i].data.ptr;
			if (!send_some(part, file))
				continue;
			must(epoll_ctl(poll, EPOLL_CTL_DEL, part->connection, NULL), "epoll_ctl");
			count--;
		}
	}
}

/* Until the peer closes. A reset is an end as well: socat does not wait for the other direction. */
static void await_close(int connection)
{
	char byte;

	must(fcntl(connection, F_SETFL, 0), "fcntl");
	if (recv(connection, &byte, 1, 0) > 0) {
		fputs("send: the peer sent something\n", stderr);
		exit(1);
	}
	close(connection);
}

int main(int count, char **arguments)
{
	if (count != 4) {
		fputs("usage: send PORT CONNECTIONS FILE\n", stderr);
		return 64;
	}
	const uint64_t connections = number(arguments[2]);
	if (connections < 1 || connections > MOST)
		return 64;
	const int file = (int)must(open(arguments[3], O_RDONLY | O_CLOEXEC), arguments[3]);
	cut(arguments[3], connections);
	for (uint64_t i = 0; i < connections; i++)
		parts[i].connection = connect_to(number(arguments[1]), SOCK_STREAM);
	say_time("began", now());
	if (connections == 1)
		send_one(file);
	else
		send_many(file, connections);
	say_time("sent", now());
	for (uint64_t i = 0; i < connections; i++)
		await_close(parts[i].connection);
	say_time("closed", now());
	return 0;
}
