/* However a stream is cut, and however small the buffers, split and filter give the same.
 *
 *     byte 0   what ends a record    byte 1   the limit, and what becomes of longer ones
 *     byte 2   the buffers' size     byte 3   the chunks: their size, or the seed of random ones
 *     byte 4   the sink's speed      byte 5   the stages behind; then the stream
 */

#include "tests/support/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, MOST = 2048 };

#define CHOICE(list, byte) ((list)[(byte) % (sizeof(list) / sizeof(*(list)))])

static const char *const delimiters[] = {
	"\"on\":\"newline\"",
	"\"on\":\"newline\",\"crlf\":true",
	"\"on\":\"nul\"",
	"\"on\":\"delimiter\",\"delimiter\":\"ab\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aa\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aba\"",
	"\"on\":\"delimiter\",\"delimiter\":\"\\r\\n\"",
};
static const char *const limits[] = { "", ",\"max_record\":\"1B\"", ",\"max_record\":\"3B\"",
	",\"max_record\":\"16B\"", ",\"max_record\":\"100B\"" };
static const char *const too_long[] = { "", ",\"too_long\":\"truncate\"", ",\"too_long\":\"drop\"",
	",\"too_long\":\"split\"" };
static const char *const unterminated[] = { "", ",\"unterminated\":\"keep\"",
	",\"unterminated\":\"complete\"", ",\"unterminated\":\"drop\"" };
static const char *const filters[] = { "", ",{\"filter\":\"a\"}", ",{\"filter\":{\"not\":\"b\"}}",
	",{\"filter\":{\"regex\":\"a.?$\"}}", ",{\"filter\":{\"starts_with\":\"a\"}}" };
static const char *const buffers[] = { "16B", "17B", "31B", "64B", "256B", "4KiB" };

static struct bench run(const char *stages, const char *buffer, size_t chunk, uint64_t speed,
	unsigned seed, const struct segment *segment)
{
	struct bench bench = { .stages = stages,
		.memory = "1MiB",
		.buffer = buffer,
		.segments = segment,
		.segment_count = 1,
		.chunk = chunk,
		.speed = speed,
		.seed = seed };

	bench_run(&bench);
	if (!bench_balances(&bench)) {
		fprintf(stderr, "out of balance: %s, buffers of %s\n", stages, buffer);
		abort();
	}
	return bench;
}

static void compare(const struct bench *cut, const struct bench *whole)
{
	if (cut->out_size[0] == whole->out_size[0] &&
		(cut->out_size[0] == 0 ||
			memcmp(cut->out[0], whole->out[0], cut->out_size[0]) == 0))
		return;
	fprintf(stderr,
		"%s, buffers of %s, chunks of %zu, seed %u, speed %llu: %zu bytes, not %zu\n",
		cut->stages, cut->buffer, cut->chunk, cut->seed, (unsigned long long)cut->speed,
		cut->out_size[0], whole->out_size[0]);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + MOST)
		return 0;
	struct segment segment = {
		.data = (const char *)data + HEAD, .size = size - HEAD, .flags = VIEW_END
	};
	uint64_t speed = data[4] == 255 ? UINT64_MAX : data[4];
	size_t chunk = data[3] < 128 ? data[3] : 0;

	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s%s}}%s]", CHOICE(delimiters, data[0]),
		CHOICE(limits, data[1]), CHOICE(too_long, data[1] / 5),
		CHOICE(unterminated, data[1] / 20), CHOICE(filters, data[5]));
	struct bench whole = run(stages, "4KiB", MOST, UINT64_MAX, 0, &segment);
	struct bench cut = run(stages, CHOICE(buffers, data[2]), chunk, speed, data[3], &segment);
	compare(&cut, &whole);
	bench_free(&whole);
	bench_free(&cut);
	return 0;
}
