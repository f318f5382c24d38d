/* However a stream is cut, each framing gives the same records, and the same is wrong with it.
 *
 *     byte 0   the framing           byte 1   the limit, and what becomes of a last record without its end
 *     byte 2   the buffers' size     byte 3   the chunks: their size, or the seed of random ones
 *     byte 4   the sink's speed      byte 5   the stages behind; then the stream
 */

#include "tests/fuzz/driver/cutting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, MOST = 2048 };

static const struct {
	const char *split;
	bool lines; /* a last record may be kept, and completed */
	bool cut;   /* one that is too long may be cut, or made several */
} framings[] = {
	{ "\"on\":\"length\"", false, false },
	{ "\"on\":\"length\",\"bytes\":1", false, false },
	{ "\"on\":\"length\",\"bytes\":2,\"order\":\"little\",\"includes_header\":true", false,
		false },
	{ "\"on\":\"length\",\"bytes\":8,\"order\":\"little\"", false, false },
	{ "\"on\":\"varint\"", false, false },
	{ "\"on\":\"octets\"", true, false },
	{ "\"on\":\"octets\",\"crlf\":true", true, false },
	{ "\"on\":\"netstring\"", false, false },
	{ "\"on\":\"fixed\",\"size\":\"1B\"", false, false },
	{ "\"on\":\"fixed\",\"size\":\"19B\"", false, false },
	{ "\"on\":\"csv\"", true, false },
	{ "\"on\":\"csv\",\"crlf\":true", true, false },
	{ "\"on\":\"start\",\"start\":\"^[ab]\",\"flush_after\":\"1h\"", true, true },
	{ "\"on\":\"start\",\"preset\":\"java\",\"flush_after\":\"1h\"", true, true },
	{ "\"on\":\"start\",\"preset\":\"python\",\"flush_after\":\"1h\"", true, true },
	{ "\"on\":\"start\",\"preset\":\"indent\",\"flush_after\":\"1h\",\"crlf\":true", true,
		true },
};
/* What the pool allows depends on the buffers. */
static const char *const limits[] = { ",\"max_record\":\"4KiB\"", ",\"max_record\":\"1B\"",
	",\"max_record\":\"3B\"", ",\"max_record\":\"16B\"", ",\"max_record\":\"100B\"" };
static const char *const too_long[] = { "", ",\"too_long\":\"truncate\"", ",\"too_long\":\"drop\"",
	",\"too_long\":\"split\"" };
static const char *const unterminated[] = { "", ",\"unterminated\":\"keep\"",
	",\"unterminated\":\"complete\"", ",\"unterminated\":\"drop\"" };
static const char *const behind[] = { "", ",{\"join\":\"length\"}",
	",{\"filter\":\"a\"},{\"join\":\"octets\"}",
	",{\"filter\":{\"not\":{\"regex\":\"a.?$\"}}},{\"join\":\"netstring\"}",
	",{\"filter\":{\"starts_with\":\"a\"}},{\"join\":\"varint\"}" };

static void compare_counts(const struct bench *cut, const struct bench *whole)
{
	const struct node_report *a = bench_report(cut, "bench.split"),
				 *b = bench_report(whole, "bench.split");
	if (a->account.found != b->account.found || a->records_out != b->records_out ||
		memcmp(a->account.dropped, b->account.dropped, sizeof(a->account.dropped)) != 0 ||
		a->account.truncated != b->account.truncated)
		cutting_fail(cut, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + MOST)
		return 0;
	struct segment segment = {
		.data = (const char *)data + HEAD, .size = size - HEAD, .flags = VIEW_END
	};
	unsigned kind = data[0] % (sizeof(framings) / sizeof(*framings));
	/* The size of fixed ones is their limit. */
	bool limited = !strstr(framings[kind].split, "fixed");
	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s%s}}%s]", framings[kind].split,
		limited ? CHOICE(limits, data[1]) : "",
		framings[kind].cut ? CHOICE(too_long, data[1] / 5) : "",
		framings[kind].lines ? CHOICE(unterminated, data[1] / 20) : "",
		CHOICE(behind, data[5]));
	struct bench whole = cutting_run(stages, &segment, cutting_none());
	struct bench cut = cutting_run(stages, &segment, cutting_chosen(data[2], data[3], data[4]));
	cutting_compare(&cut, &whole);
	compare_counts(&cut, &whole);
	bench_free(&whole);
	bench_free(&cut);
	return 0;
}
