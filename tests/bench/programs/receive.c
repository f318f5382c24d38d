/* receive: takes one connection and says when so many bytes had come, and at its end what they were.
 *
 *     receive PORT BYTES
 *
 * What comes is kept, in memory that is touched before, and looked at only when all is there: while the clock runs it
 * does nothing but receive.
 */

#include "tests/bench/shared/common.h"
#include "tests/bench/shared/tally.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 1 << 20, SPARE = 4 << 20, HUGE = 2 << 20 };

static char *make_room(size_t size)
{
	char *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		fail("memory");
	madvise(room, size, MADV_HUGEPAGE);
	memset(room, 1, size);
	return room;
}

int main(int count, char **arguments)
{
	if (count != 3) {
		fputs("usage: receive PORT BYTES\n", stderr);
		return 64;
	}
	const size_t wanted = number(arguments[2]), size = (wanted + SPARE) / HUGE * HUGE + HUGE;
	struct tally tally = { 0 };
	char *room = make_room(size);
	const int listener = listen_at(number(arguments[1]));
	size_t have = 0;
	bool reached = false;
	say_time("ready", now());
	const int connection = accept_one(listener);
	while (have < size) {
		const size_t left = size - have;
		const size_t got = (size_t)must(
			recv(connection, room + have, left < AT_ONCE ? left : AT_ONCE, 0), "recv");
		if (got == 0)
			break;
		have += got;
		if (have >= wanted && !reached)
			say_time("reached", now());
		reached = have >= wanted;
	}
	tally_add(&tally, room, have);
	tally_print(&tally);
	return 0;
}
