/* loop_relay: what TCP to TCP costs with one buffer: recv, send.
 *
 *     loop_relay PORT TO
 */

#include "tests/bench/shared/common.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 1 << 20 };

static _Alignas(4096) char buffer[AT_ONCE];

static void relay(int from, int to)
{
	size_t got;

	while ((got = (size_t)must(recv(from, buffer, sizeof(buffer), 0), "recv")) > 0)
		write_all(to, buffer, got);
}

int main(int count, char **arguments)
{
	if (count != 3) {
		fputs("usage: loop_relay PORT TO\n", stderr);
		return 64;
	}
	const int listener = listen_at(number(arguments[1]));
	const int from = accept_one(listener);
	const int to = connect_to(number(arguments[2]), SOCK_STREAM);
	relay(from, to);
	close(to);
	close(from);
	return 0;
}
