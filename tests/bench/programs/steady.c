/* steady: sends a file over one connection, again and again, so many megabytes a second.
 *
 *     steady PORT FILE RATE
 *
 * What is due is told from the time since the start: who was held up for a while is sent what is missing at once. When its
 * standard input has ended it sends the file to its end, and says when it began, when all was sent, when the peer had
 * closed, how often it has sent the file, and how late the latest byte was handed to the kernel.
 */

#include "tests/bench/shared/common.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64 << 10 };

struct load {
	struct bytes file;
	uint64_t rate; /* MB/s */
	uint64_t began;
	uint64_t sent, late;
};

/* When the next byte is due: a byte at 1 MB/s takes 1000 ns. */
static uint64_t due(const struct load *load)
{
	return load->began + load->sent * 1000 / load->rate;
}

static void note_lateness(struct load *load)
{
	const uint64_t planned = due(load), time = now();

	if (time > planned && time - planned > load->late)
		load->late = time - planned;
}

static void send_once(struct load *load, int connection)
{
	for (size_t at = 0; at < load->file.size;) {
		const size_t left = load->file.size - at, size = left < AT_ONCE ? left : AT_ONCE;
		if (due(load) > now())
			sleep_until(due(load));
		write_all(connection, load->file.data + at, size);
		note_lateness(load);
		at += size;
		load->sent += size;
	}
}

static bool goes_on(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return must(poll(&input, 1, 0), "poll") == 0;
}

static void await_close(int connection)
{
	char byte;

	must(shutdown(connection, SHUT_WR), "shutdown");
	if (must(recv(connection, &byte, 1, 0), "recv") > 0) {
		fputs("steady: the peer sent something\n", stderr);
		exit(1);
	}
	close(connection);
}

int main(int count, char **arguments)
{
	if (count != 4) {
		fputs("usage: steady PORT FILE RATE\n", stderr);
		return 64;
	}
	struct load load = { .file = map_file(arguments[2]), .rate = number(arguments[3]) };
	uint64_t times = 0;
	const int connection = connect_to(number(arguments[1]), SOCK_STREAM);
	load.began = now();
	say_time("began", load.began);
	do {
		send_once(&load, connection);
		times++;
	} while (goes_on());
	say_time("sent", now());
	await_close(connection);
	say_time("closed", now());
	say_time("times", times);
	say_time("late", load.late);
	return 0;
}
