/* send: sends a file over a number of connections, as fast as they take it.
 *
 *     send PORT CONNECTIONS FILE
 *
 * The file is cut at ends of lines into as many parts of about the same size. It says when it began, when all was sent, and
 * when the peer had closed all connections, which it does when it has read all. It sends out of memory: sendfile would
 * hand over single pages, which take the peer longer to receive than what senders elsewhere make.
 */

#include "tests/bench/shared/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1024, AT_ONCE = 256 << 10 };

struct part {
	int connection;
	const char *at, *end;
};

static struct part parts[MOST];

static void cut(struct bytes file, uint64_t count)
{
	size_t at = 0;

	for (uint64_t i = 0; i < count; i++) {
		size_t end = file.size / count * (i + 1);
		const char *feed =
			i + 1 < count ? memchr(file.data + end, '\n', file.size - end) : NULL;
		end = feed ? (size_t)(feed - file.data) + 1 : file.size;
		parts[i].at = file.data + at;
		parts[i].end = file.data + end;
		at = end;
	}
}

/* Sends once. True when nothing is left of the part. */
static bool send_some(struct part *part, int flags)
{
	const size_t left = (size_t)(part->end - part->at);
	const ssize_t sent =
		send(part->connection, part->at, left < AT_ONCE ? left : AT_ONCE, flags);

	if (sent < 0 && errno != EAGAIN)
		fail("send");
	if (sent > 0)
		part->at += sent;
	if (part->at < part->end)
		return false;
	must(shutdown(part->connection, SHUT_WR), "shutdown");
	return true;
}

static void send_one(void)
{
	while (!send_some(&parts[0], 0))
		;
}

static void send_many(uint64_t count)
{
	struct epoll_event events[MOST];
	const int poll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create");

	for (uint64_t i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLOUT, .data = { .ptr = &parts[i] } };
		must(epoll_ctl(poll, EPOLL_CTL_ADD, parts[i].connection, &event), "epoll_ctl");
	}
	while (count > 0) {
		const long ready = must(epoll_wait(poll, events, MOST, -1), "epoll_wait");
		for (long i = 0; i < ready; i++) {
			struct part *part = events[i].data.ptr;
			if (!send_some(part, MSG_DONTWAIT))
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
	cut(map_file(arguments[3]), connections);
	for (uint64_t i = 0; i < connections; i++)
		parts[i].connection = connect_to(number(arguments[1]), SOCK_STREAM);
	say_time("began", now());
	if (connections == 1)
		send_one();
	else
		send_many(connections);
	say_time("sent", now());
	for (uint64_t i = 0; i < connections; i++)
		await_close(parts[i].connection);
	say_time("closed", now());
	return 0;
}
