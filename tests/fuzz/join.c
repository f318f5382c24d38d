/* Records that are joined to another framing, and split on it, are what they were.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)
 *     byte 4      the framing that they come in     byte 5   the one that they go through; then the bytes
 *
 *     bytes ─▶ split A ─▶ join length ─────────────────────────▶ contents, sizes before them
 *          └─▶ split A ─▶ join B ─▶ bytes ─▶ split B ─▶ join length ─▶ the same?
 */

#include "tests/fuzz/driver/cuts.h"

#include "pipeline/flow/framing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 2, SIZE_BYTES = 4 };

#define MOST ",\"max_record\":\"4KiB\""

static const char *const froms[] = {
	"\"on\":\"newline\"",
	"\"on\":\"newline\",\"crlf\":true",
	"\"on\":\"nul\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aba\"",
	"\"on\":\"csv\"",
	"\"on\":\"octets\"" MOST,
	"\"on\":\"netstring\"" MOST,
	"\"on\":\"varint\"" MOST,
	"\"on\":\"fixed\",\"size\":\"5B\"",
	"\"on\":\"length\",\"bytes\":1",
	"\"on\":\"length\",\"bytes\":2,\"order\":\"little\",\"includes_header\":true" MOST,
	"\"on\":\"start\",\"preset\":\"indent\",\"flush_after\":\"1h\"",
	"\"on\":\"newline\",\"max_record\":\"3B\",\"too_long\":\"split\"",
	"\"on\":\"newline\",\"max_record\":\"3B\"",
};

static const struct {
	const char *options;
	const char *delimiter; /* that ends a record; NULL: something before it tells its size */
	uint32_t delimiter_size, most;
} throughs[] = {
	{ "\"newline\"", "\n", 1, UINT32_MAX },
	{ "\"nul\"", "", 1, UINT32_MAX },
	{ "\"delimiter\",\"delimiter\":\"ab\"", "ab", 2, UINT32_MAX },
	{ "\"delimiter\",\"delimiter\":\"aa\"", "aa", 2, UINT32_MAX },
	{ "\"delimiter\",\"delimiter\":\"abaab\"", "abaab", 5, UINT32_MAX },
	{ "\"octets\"", NULL, 0, UINT32_MAX },
	{ "\"netstring\"", NULL, 0, UINT32_MAX },
	{ "\"varint\"", NULL, 0, UINT32_MAX },
	{ "\"length\",\"bytes\":1", NULL, 0, 255 },
	{ "\"length\",\"bytes\":1,\"includes_header\":true", NULL, 0, 254 },
	{ "\"length\",\"bytes\":2,\"order\":\"little\"", NULL, 0, UINT32_MAX },
	{ "\"length\",\"bytes\":8,\"includes_header\":true", NULL, 0, UINT32_MAX },
};

/* True if the content, with the delimiter behind it, has its first one there. */
static bool survives(const char *content, uint32_t size, unsigned through)
{
	char whole[CUTS_MOST + 8];
	uint32_t behind = throughs[through].delimiter_size;

	if (size > throughs[through].most)
		return false;
	if (!throughs[through].delimiter)
		return true;
	assert(size + behind <= sizeof(whole));
	memcpy(whole, content, size);
	memcpy(whole + size, throughs[through].delimiter, behind);
	return memmem(whole, size + behind, throughs[through].delimiter, behind) == whole + size;
}

static bool all_survive(const struct bench *contents, unsigned through)
{
	const char *at = contents->out[0];
	size_t left = contents->out_size[0];

	while (left > 0) {
		uint32_t size = 0;
		for (size_t i = 0; i < SIZE_BYTES; i++)
			size = size << 8 | (uint8_t)at[i];
		if (!survives(at + SIZE_BYTES, size, through))
			return false;
		at += SIZE_BYTES + size;
		left -= SIZE_BYTES + size;
	}
	return true;
}

static struct bench run_back(const uint8_t *head, unsigned through, const struct bench *there)
{
	char stages[256];
	const uint8_t plain[CUTS_HEAD] = { head[0], head[1], head[2] };

	snprintf(stages, sizeof(stages), "[{\"split\":{\"on\":%s}},{\"join\":\"length\"}]",
		throughs[through].options);
	struct bench back = cuts_check(&(struct cuts){ .stages = stages,
		.head = plain,
		.data = there->out[0],
		.size = there->out_size[0] });
	back.stages = throughs[through].options;
	return back;
}

static void check(const struct bench *back, const struct bench *contents)
{
	if (back->out_size[0] == contents->out_size[0] &&
		(back->out_size[0] == 0 ||
			memcmp(back->out[0], contents->out[0], back->out_size[0]) == 0))
		return;
	fprintf(stderr, "through %s: %zu bytes, not %zu\n", back->stages, back->out_size[0],
		contents->out_size[0]);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	unsigned through = data[5] % (sizeof(throughs) / sizeof(*throughs));
	struct cuts cuts = {
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD
	};
	snprintf(stages, sizeof(stages), "[{\"split\":{%s}},{\"join\":\"length\"}]",
		CHOICE(froms, data[4]));
	struct bench contents = cuts_check(&cuts);
	snprintf(stages, sizeof(stages), "[{\"split\":{%s}},{\"join\":{\"with\":%s}}]",
		CHOICE(froms, data[4]), throughs[through].options);
	struct bench there = cuts_check(&cuts);
	if (all_survive(&contents, through)) {
		struct bench back = run_back(data, through, &there);
		check(&back, &contents);
		bench_free(&back);
	}
	bench_free(&there);
	bench_free(&contents);
	return 0;
}
