/* loop_datagrams: what datagrams to lines of a file cost: recvmmsg, an LF behind each, writev.
 *
 *     loop_datagrams PORT FILE         until it is told to end
 */

#include "tests/bench/shared/common.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* RECEIVE_BUFFER: what viewduct asks for, too. */
enum { SLOTS = 256, ROOM = 2048, RECEIVE_BUFFER = 4 << 20 };

static char slots[SLOTS][ROOM + 1];
static struct iovec places[SLOTS], lines[SLOTS];
static struct mmsghdr messages[SLOTS];

static void make_places(void)
{
	for (int i = 0; i < SLOTS; i++) {
		places[i] = (struct iovec){ slots[i], ROOM };
		messages[i].msg_hdr.msg_iov = &places[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static void write_lines(int file, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++) {
		slots[i][messages[i].msg_len] = '\n';
		lines[i] = (struct iovec){ slots[i], messages[i].msg_len + 1 };
		size += lines[i].iov_len;
	}
	if ((size_t)must(writev(file, lines, count), "writev") != size)
		fail("a short write");
}

int main(int count, char **arguments)
{
	if (count != 3) {
		fputs("usage: loop_datagrams PORT FILE\n", stderr);
		return 64;
	}
	const int size = RECEIVE_BUFFER;
	const int file = (int)must(
		open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), arguments[2]);
	const int receiver = bound_to(number(arguments[1]), SOCK_DGRAM);
	must(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "SO_RCVBUF");
	make_places();
	while (true)
		write_lines(
			file, (int)must(recvmmsg(receiver, messages, SLOTS, MSG_WAITFORONE, NULL),
				      "recvmmsg"));
}
