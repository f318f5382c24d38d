/* loop_write: what TCP to a file costs with one buffer: recv, write.
 *
 *     loop_write PORT CONNECTIONS FILE
 */

#include "tests/bench/shared/common.h"
#include "tests/bench/shared/crowd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

enum { AT_ONCE = 256 << 10 };

static int file;
static _Alignas(4096) char buffer[AT_ONCE];

static bool serve(int connection)
{
	const long got = must(recv(connection, buffer, sizeof(buffer), 0), "recv");

	write_all(file, buffer, (size_t)got);
	return got > 0;
}

int main(int count, char **arguments)
{
	if (count != 4) {
		fputs("usage: loop_write PORT CONNECTIONS FILE\n", stderr);
		return 64;
	}
	file = (int)must(
		open(arguments[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644),
		arguments[3]);
	crowd_run(number(arguments[1]), number(arguments[2]), serve);
	return 0;
}
