/* echo: how long lines take through a relay and back.
 *
 *     echo RELAY BACK CONNECTIONS COUNT
 *
 * It listens at BACK, says "ready", and waits for a line on standard input: by then the relay listens. It makes so many
 * connections to it, each with one line under way: when it has come back (over whichever connection the relay makes to
 * BACK), the next one is sent. It prints "p50=… p99=… seconds=…", in microseconds, over COUNT lines after a tenth as many
 * to warm up.
 */

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MOST = 64, LINE = 190, ROOM = 64 << 10 };

struct sender {
	int connection;
	uint64_t serial, sent_at;
};

/* What has come on one of the relay's connections. */
struct back {
	int connection;
	size_t have;
	char text[ROOM];
};

static struct sender senders[MOST];
static struct back backs[MOST];
static uint64_t back_count, begun, wanted, warm, done;
static double *taken;

static void send_next(uint64_t index)
{
	struct sender *sender = &senders[index];
	char line[LINE + 1];
	const int head = snprintf(
		line, sizeof(line), "%02" PRIu64 " %010" PRIu64 " ", index, ++sender->serial);

	memset(line + head, 'x', LINE - 1 - (size_t)head);
	line[LINE - 1] = '\n';
	begun++;
	sender->sent_at = now();
	write_all(sender->connection, line, LINE);
}

noreturn static void refuse(const char *what)
{
	fprintf(stderr, "echo: %s\n", what);
	exit(1);
}

static void take_line(const char *line)
{
	uint64_t index, serial;

	if (line[LINE - 1] != '\n' ||
		sscanf(line, "%2" SCNu64 " %10" SCNu64 " ", &index, &serial) != 2)
		refuse("what came back is no line of mine");
	if (index >= MOST || senders[index].serial != serial)
		refuse("a line came back that is not under way");
	const double passed = (double)(now() - senders[index].sent_at) / 1e3;
	if (done >= warm)
		taken[done - warm] = passed;
	done++;
	if (begun < wanted + warm)
		send_next(index);
}

static void take_some(struct back *back)
{
	const size_t got = (size_t)must(
		recv(back->connection, back->text + back->have, ROOM - back->have, 0), "recv");
	size_t at = 0;

	if (got == 0)
		refuse("the relay closed its connection");
	back->have += got;
	for (; back->have - at >= LINE; at += LINE)
		take_line(back->text + at);
	back->have -= at;
	memmove(back->text, back->text + at, back->have);
}

static void watch(int poll, int descriptor, struct back *back)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = back } };

	must(epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void take_connection(int poll, int listener)
{
	if (back_count == MOST)
		refuse("the relay makes too many connections");
	struct back *back = &backs[back_count++];
	back->connection = accept_one(listener);
	watch(poll, back->connection, back);
}

static void run(int listener)
{
	struct epoll_event events[MOST];
	const int poll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create");

	watch(poll, listener, NULL);
	while (done < wanted + warm) {
		const long ready = must(epoll_wait(poll, events, MOST, -1), "epoll_wait");
		for (long i = 0; i < ready; i++) {
			if (events[i].data.ptr)
				take_some(events[i].data.ptr);
			else
				take_connection(poll, listener);
		}
	}
}

static int order(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(int count, char **arguments)
{
	char word[8];

	if (count != 5) {
		fputs("usage: echo RELAY BACK CONNECTIONS COUNT\n", stderr);
		return 64;
	}
	const uint64_t connections = number(arguments[3]);
	if (connections < 1 || connections > MOST)
		refuse("1 to 64 connections, please");
	wanted = number(arguments[4]);
	warm = wanted / 10;
	taken = calloc(wanted, sizeof(*taken));
	const int listener = listen_at(number(arguments[2]));
	say_time("ready", now());
	if (!taken || !fgets(word, sizeof(word), stdin))
		refuse("nobody said go");
	for (uint64_t i = 0; i < connections; i++)
		senders[i].connection = connect_to(number(arguments[1]), SOCK_STREAM);
	const uint64_t began = now();
	for (uint64_t i = 0; i < connections; i++)
		send_next(i);
	run(listener);
	const double passed = (double)(now() - began) / 1e9;
	qsort(taken, wanted, sizeof(*taken), order);
	printf("p50=%.1f p99=%.1f seconds=%.6f\n", taken[wanted / 2], taken[wanted * 99 / 100],
		passed);
	return 0;
}
