/* idle: makes connections, sends a line over each, and keeps them, silent.
 *
 *     idle PORT CONNECTIONS            says "ready" when all lines are sent; ends with its standard input
 */

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

int main(int count, char **arguments)
{
	char line[64];

	if (count != 3) {
		fputs("usage: idle PORT CONNECTIONS\n", stderr);
		return 64;
	}
	struct rlimit limit;
	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	const uint64_t wanted = number(arguments[2]);
	for (uint64_t i = 0; i < wanted; i++) {
		const int connection = connect_to(number(arguments[1]), SOCK_STREAM);
		const int size =
			snprintf(line, sizeof(line), "connection %05" PRIu64 " is here\n", i);
		write_all(connection, line, (size_t)size);
	}
	say_time("ready", now());
	while (getchar() != EOF)
		;
	return 0;
}
