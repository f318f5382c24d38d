/* datagrams: sends the lines of a file as datagrams, without their LF, so many a second.
 *
 *     datagrams PORT RATE COUNT FILE
 *
 * What is due is told from the time since the start, so a late tick is made up for and nothing drifts. It says when it
 * began and ended, how many it sent, and how late the latest of them was.
 */

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { AT_ONCE = 256, TICK = 200000 /* ns */ };

static struct iovec lines[AT_ONCE];
static struct mmsghdr messages[AT_ONCE];
static struct bytes file;
static size_t at;

static struct iovec next_line(void)
{
	if (at == file.size)
		at = 0;
	const char *line = file.data + at, *feed = memchr(line, '\n', file.size - at);
	if (!feed)
		fail("a last line without LF");
	at += (size_t)(feed - line) + 1;
	return (struct iovec){ (void *)line, (size_t)(feed - line) };
}

static void send_all(int receiver, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		lines[i] = next_line();
		messages[i].msg_hdr.msg_iov = &lines[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned sent = 0; sent < count;)
		sent += (unsigned)must(
			sendmmsg(receiver, messages + sent, count - sent, 0), "sendmmsg");
}

/* Returns by how many nanoseconds the latest was late. */
static uint64_t pace(int receiver, uint64_t rate, uint64_t count, uint64_t began)
{
	uint64_t latest = 0;

	for (uint64_t sent = 0; sent < count;) {
		const uint64_t passed = now() - began;
		const uint64_t due = (uint64_t)((__uint128_t)passed * rate / 1000000000u) + 1;
		const uint64_t most = due < count ? due : count;
		if (most <= sent) {
			sleep_until(began + (passed / TICK + 1) * TICK);
			continue;
		}
		const uint64_t planned = (uint64_t)((__uint128_t)sent * 1000000000u / rate);
		if (passed - planned > latest)
			latest = passed - planned;
		const uint64_t batch = most - sent < AT_ONCE ? most - sent : AT_ONCE;
		send_all(receiver, (unsigned)batch);
		sent += batch;
	}
	return latest;
}

int main(int count, char **arguments)
{
	if (count != 5) {
		fputs("usage: datagrams PORT RATE COUNT FILE\n", stderr);
		return 64;
	}
	file = map_file(arguments[4]);
	const uint64_t wanted = number(arguments[3]);
	const int receiver = connect_to(number(arguments[1]), SOCK_DGRAM);
	const uint64_t began = now();
	say_time("began", began);
	const uint64_t latest = pace(receiver, number(arguments[2]), wanted, began);
	say_time("ended", now());
	say_time("late", latest);
	return 0;
}
