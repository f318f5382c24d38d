/* However a stream is cut, and however small the buffers, split and filter give the same.
 *
 *     byte 0   what ends a record    byte 1   the limit, and what becomes of longer ones
 *     byte 2   the buffers' size     byte 3   the chunks: their size, or the seed of random ones
 *     byte 4   the sink's speed      byte 5   the stages behind; then the stream
 */

#include "tests/fuzz/driver/cutting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, MOST = 2048 };

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + MOST)
		return 0;
	struct segment segment = {
		.data = (const char *)data + HEAD, .size = size - HEAD, .flags = VIEW_END
	};
	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s%s}}%s]", CHOICE(delimiters, data[0]),
		CHOICE(limits, data[1]), CHOICE(too_long, data[1] / 5),
		CHOICE(unterminated, data[1] / 20), CHOICE(filters, data[5]));
	struct bench whole = cutting_run(stages, &segment, cutting_none());
	struct bench cut = cutting_run(stages, &segment, cutting_chosen(data[2], data[3], data[4]));
	cutting_compare(&cut, &whole);
	bench_free(&whole);
	bench_free(&cut);
	return 0;
}
