/* scrape: asks for /metrics so many times a second, as Prometheus does, over one connection that is kept.
 *
 *     scrape PORT RATE
 *
 * It says "ready" when the first answer has come. For each number that comes on its standard input, in a line, it asks as
 * often, and says when it was done, what the last answer held, and how long the slowest took. What is due is told from the
 * time since it was told to.
 */

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SECOND = 1000000000, MOST = 1 << 20 };

static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
static char answer[MOST + 1];

noreturn static void refuse(const char *why)
{
	fprintf(stderr, "scrape: %s: %.200s\n", why, answer);
	exit(1);
}

/* The bytes of head and body together, 0 as long as the head is not whole. */
static size_t size_of_answer(void)
{
	static const char length[] = "\r\nContent-Length: ";
	const char *end = strstr(answer, "\r\n\r\n"), *found = strcasestr(answer, length);

	if (!end)
		return 0;
	if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !found || found > end)
		refuse("no answer with a length");
	return (size_t)(end + 4 - answer) + strtoul(found + strlen(length), NULL, 10);
}

/* Asks once; the answer's bytes. */
static size_t ask(int connection)
{
	size_t got = 0, wanted = 0;

	write_all(connection, request, strlen(request));
	while (wanted == 0 || got < wanted) {
		const long count = must(recv(connection, answer + got, MOST - got, 0), "recv");
		if (count == 0)
			refuse("it was closed");
		got += (size_t)count;
		answer[got] = '\0';
		if (wanted == 0)
			wanted = size_of_answer();
	}
	return got;
}

static void ask_often(int connection, uint64_t rate, uint64_t times)
{
	const uint64_t began = now();
	uint64_t slowest = 0;
	size_t size = 0;

	for (uint64_t asked = 0; asked < times; asked++) {
		sleep_until(began + asked * SECOND / rate);
		const uint64_t before = now();
		size = ask(connection);
		const uint64_t took = now() - before;
		slowest = took > slowest ? took : slowest;
	}
	printf("asked=%" PRIu64 " seconds=%.6f size=%zu slowest=%.3f\n", times,
		(double)(now() - began) / SECOND, size, (double)slowest / 1e6);
	fflush(stdout);
}

int main(int count, char **arguments)
{
	char line[32];

	if (count != 3) {
		fputs("usage: scrape PORT RATE\n", stderr);
		return 64;
	}
	const int connection = connect_to(number(arguments[1]), SOCK_STREAM);
	const uint64_t rate = number(arguments[2]);
	ask(connection);
	say_time("ready", now());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		ask_often(connection, rate, number(line));
	}
	return 0;
}
