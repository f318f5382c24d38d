/* loop_count: what receiving and counting lines costs: recv, a look for newlines, and nothing else.
 *
 *     loop_count PORT CONNECTIONS      prints "bytes=… records=…" when all have ended
 */

#include "tests/bench/shared/common.h"
#include "tests/bench/shared/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

/* BLOCK: as many comparisons as a byte can sum up. */
enum { AT_ONCE = 256 << 10, BLOCK = 255 };

typedef char vector __attribute__((vector_size(32), aligned(1)));

static uint64_t bytes, records;
static _Alignas(4096) char buffer[AT_ONCE];

static uint64_t sum(const vector *counts)
{
	uint64_t total = 0;

	for (size_t lane = 0; lane < sizeof(vector); lane++)
		total += (unsigned char)(*counts)[lane];
	return total;
}

/* The compiler makes one for each kind of processor; which is taken is seen at the start. */
__attribute__((target_clones("avx2", "default"))) static uint64_t newlines(
	const char *data, size_t size)
{
	uint64_t found = 0;

	while (size >= sizeof(vector)) {
		vector counts = { 0 };
		for (int i = 0; i < BLOCK && size >= sizeof(vector); i++) {
			counts -= *(const vector *)data == '\n';
			data += sizeof(vector);
			size -= sizeof(vector);
		}
		found += sum(&counts);
	}
	for (; size > 0; size--)
		found += *data++ == '\n';
	return found;
}

static bool serve(int connection)
{
	const size_t got = (size_t)must(recv(connection, buffer, sizeof(buffer), 0), "recv");

	bytes += got;
	records += newlines(buffer, got);
	return got > 0;
}

int main(int count, char **arguments)
{
	if (count != 3) {
		fputs("usage: loop_count PORT CONNECTIONS\n", stderr);
		return 64;
	}
	crowd_run(number(arguments[1]), number(arguments[2]), serve);
	printf("bytes=%" PRIu64 " records=%" PRIu64 "\n", bytes, records);
	return 0;
}
