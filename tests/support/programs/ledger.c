/* ledger: writes records that can be told from any others, and says what has become of them.
 *
 *     ledger make RUN COUNT [MOST [SEED]]        records 0 … COUNT−1 of a run, to standard output
 *     ledger verify [--lost-is-fine] RUN=COUNT…  reads them from standard input, of several runs mixed
 *
 * A record is `run:seq:len:crc32:payload` and a newline; the payload has any byte but the newline, its length is
 * log-uniform from 1 to MOST, and the checksum is over all but itself. verify prints, for all runs together,
 *
 *     sent=… delivered=… missing=… duplicates=… out_of_order=… corrupt=… spurious=…
 *
 * and fails unless nothing is missing (unless that is fine), duplicated, out of order within its run, corrupt or
 * spurious.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST_RUNS = 4096, HEADER = 128 };

static uint64_t state;

/* splitmix64: any seed will do. */
static uint64_t any(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Log-uniform from 1 to `most`: first how many bits, then which number of so many bits. */
static size_t any_length(size_t most)
{
	unsigned bits = 0;

	while (bits < 63 && most >> bits > 1)
		bits++;
	const size_t length =
		((size_t)1 << any() % (bits + 1)) + any() % ((size_t)1 << any() % (bits + 1));
	return length <= most ? length : most;
}

static uint32_t checksum(const char *run, uint64_t number, const char *payload, size_t size)
{
	char header[HEADER];
	const int length =
		snprintf(header, sizeof(header), "%s:%" PRIu64 ":%zu:", run, number, size);
	const uLong sum = crc32(0, (const unsigned char *)header, (uInt)length);

	return (uint32_t)crc32(sum, (const unsigned char *)payload, (uInt)size);
}

static int make(const char *run, uint64_t count, size_t most)
{
	char *payload = malloc(most);

	if (!payload)
		return 1;
	for (uint64_t number = 0; number < count; number++) {
		const size_t size = any_length(most);
		for (size_t i = 0; i < size; i++) {
			payload[i] = (char)any();
			if (payload[i] == '\n')
				payload[i] = ' ';
		}
		printf("%s:%" PRIu64 ":%zu:%08x:", run, number, size,
			checksum(run, number, payload, size));
		fwrite(payload, 1, size, stdout);
		putchar('\n');
	}
	free(payload);
	return fflush(stdout) == 0 ? 0 : 1;
}

struct expectation {
	const char *run;
	uint64_t count;
	uint64_t highest; /* the highest number seen, plus 1 */
	bool *seen;
};

static struct expectation runs[MOST_RUNS];
static size_t run_count;
static uint64_t sent, delivered, duplicates, out_of_order, corrupt, spurious;

static bool expect(const char *argument)
{
	const char *equals = strchr(argument, '=');

	if (!equals || run_count == MOST_RUNS)
		return false;
	struct expectation *run = &runs[run_count++];
	run->run = strndup(argument, (size_t)(equals - argument));
	run->count = strtoull(equals + 1, NULL, 10);
	run->seen = calloc(run->count ? run->count : 1, sizeof(bool));
	sent += run->count;
	return run->run && run->seen;
}

static struct expectation *find_run(const char *name, size_t size)
{
	for (size_t i = 0; i < run_count; i++)
		if (strlen(runs[i].run) == size && memcmp(runs[i].run, name, size) == 0)
			return &runs[i];
	return NULL;
}

static void note(struct expectation *run, uint64_t number)
{
	if (run->seen[number]) {
		duplicates++;
		return;
	}
	run->seen[number] = true;
	delivered++;
	if (number + 1 < run->highest)
		out_of_order++;
	else
		run->highest = number + 1;
}

/* A line without its newline, NUL behind it. */
static void judge(const char *line, size_t size)
{
	const char *colon = strchr(line, ':');
	struct expectation *run = colon ? find_run(line, (size_t)(colon - line)) : NULL;
	uint64_t number;
	size_t length;
	uint32_t sum;
	int header = 0;

	if (!run) {
		spurious++;
		return;
	}
	if (sscanf(colon, ":%" SCNu64 ":%zu:%8x:%n", &number, &length, &sum, &header) != 3 ||
		header == 0) {
		corrupt++;
		return;
	}
	const char *payload = colon + header;
	if (number >= run->count || size - (size_t)(payload - line) != length ||
		checksum(run->run, number, payload, length) != sum) {
		corrupt++;
		return;
	}
	note(run, number);
}

static int verify(bool lost_is_fine)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	while ((size = getline(&line, &room, stdin)) > 0) {
		if (line[size - 1] != '\n') {
			corrupt++;
			continue;
		}
		line[size - 1] = '\0';
		judge(line, (size_t)size - 1);
	}
	free(line);
	const uint64_t missing = sent - delivered;
	printf("sent=%" PRIu64 " delivered=%" PRIu64 " missing=%" PRIu64 " duplicates=%" PRIu64
	       " out_of_order=%" PRIu64 " corrupt=%" PRIu64 " spurious=%" PRIu64 "\n",
		sent, delivered, missing, duplicates, out_of_order, corrupt, spurious);
	return (missing && !lost_is_fine) || duplicates || out_of_order || corrupt || spurious;
}

int main(int count, char **arguments)
{
	if (count >= 4 && count <= 6 && strcmp(arguments[1], "make") == 0) {
		state = count > 5 ? strtoull(arguments[5], NULL, 10) : 1;
		const size_t most = count > 4 ? strtoull(arguments[4], NULL, 10) : 1000;
		return make(arguments[2], strtoull(arguments[3], NULL, 10), most ? most : 1);
	}
	if (count >= 3 && strcmp(arguments[1], "verify") == 0) {
		const bool lost_is_fine = strcmp(arguments[2], "--lost-is-fine") == 0;
		for (int i = lost_is_fine ? 3 : 2; i < count; i++)
			if (!expect(arguments[i]))
				return 64;
		return verify(lost_is_fine);
	}
	fprintf(stderr, "usage: ledger make RUN COUNT [MOST [SEED]] | ledger verify "
			"[--lost-is-fine] RUN=COUNT…\n");
	return 64;
}
