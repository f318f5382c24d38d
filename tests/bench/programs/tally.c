/* tally: what outputs hold, in numbers to compare.
 *
 *     tally FILE…              bytes, lines and hashes of all files together
 *     tally --within WHOLE FILE  of the lines of WHOLE, how many FILE lacks, and how many it has that are none of them
 */

#include "tests/bench/shared/tally.h"

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hashes {
	uint64_t *list;
	size_t count;
};

static int order(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The hashes of a file's lines, sorted. */
static struct hashes read_hashes(const char *path)
{
	const struct bytes bytes = map_file(path);
	const char *data = bytes.data, *end = bytes.data + bytes.size;
	struct hashes hashes = { calloc(bytes.size + 1, sizeof(uint64_t)), 0 };

	if (!hashes.list)
		fail(path);
	while (data < end) {
		const char *feed = memchr(data, '\n', (size_t)(end - data));
		const char *stop = feed ? feed : end;
		hashes.list[hashes.count++] = tally_line(data, (size_t)(stop - data));
		data = stop + 1;
	}
	qsort(hashes.list, hashes.count, sizeof(uint64_t), order);
	return hashes;
}

static void compare(struct hashes whole, struct hashes part)
{
	uint64_t missing = 0, spurious = 0;
	size_t i = 0, j = 0;

	while (i < whole.count || j < part.count) {
		if (j == part.count || (i < whole.count && whole.list[i] < part.list[j])) {
			missing++;
			i++;
		} else if (i == whole.count || whole.list[i] > part.list[j]) {
			spurious++;
			j++;
		} else {
			i++;
			j++;
		}
	}
	printf("missing=%" PRIu64 " spurious=%" PRIu64 "\n", missing, spurious);
}

int main(int count, char **arguments)
{
	struct tally tally = { 0 };

	if (count == 4 && strcmp(arguments[1], "--within") == 0) {
		compare(read_hashes(arguments[2]), read_hashes(arguments[3]));
		return 0;
	}
	for (int i = 1; i < count; i++) {
		const struct bytes bytes = map_file(arguments[i]);
		tally_add(&tally, bytes.data, bytes.size);
	}
	tally_print(&tally);
	return 0;
}
