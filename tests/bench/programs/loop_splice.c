/* loop_splice: what TCP to a file costs where no byte is touched: socket, pipe, file.
 *
 *     loop_splice PORT CONNECTIONS FILE
 */

#include "tests/bench/shared/common.h"
#include "tests/bench/shared/crowd.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { AT_ONCE = 1 << 20 };

static int file, ends[2];

static bool serve(int connection)
{
	const long got =
		must(splice(connection, NULL, ends[1], NULL, AT_ONCE, SPLICE_F_MOVE), "splice");

	for (long left = got; left > 0;)
		left -= must(
			splice(ends[0], NULL, file, NULL, (size_t)left, SPLICE_F_MOVE), "splice");
	return got > 0;
}

int main(int count, char **arguments)
{
	if (count != 4) {
		fputs("usage: loop_splice PORT CONNECTIONS FILE\n", stderr);
		return 64;
	}
	/* splice refuses O_APPEND: there is but one writer here, which the file's own offset suffices for. */
	file = (int)must(
		open(arguments[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), arguments[3]);
	must(pipe2(ends, O_CLOEXEC), "pipe");
	must(fcntl(ends[0], F_SETPIPE_SZ, AT_ONCE), "F_SETPIPE_SZ");
	crowd_run(number(arguments[1]), number(arguments[2]), serve);
	return 0;
}
