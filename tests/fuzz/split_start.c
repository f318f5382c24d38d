/* However a stream is cut, records that begin at lines are the same.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)     byte 4   what records begin with
 *     byte 5      the limit, and the rules for what is too long or unterminated
 *     byte 6      the stages behind; then the bytes
 */

#include "tests/fuzz/driver/cuts.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 3 };

static const char *const starts[] = {
	"\"start\":\"^[0-9]\"",
	"\"preset\":\"java\"",
	"\"preset\":\"python\"",
	"\"preset\":\"indent\"",
	"\"start\":\"^a\",\"crlf\":true",
	"\"start\":\"b$\",\"crlf\":true",
	"\"preset\":\"indent\",\"crlf\":true",
	"\"start\":\"^\"",
};
static const char *const limits[] = { "", ",\"max_record\":\"1B\"", ",\"max_record\":\"3B\"",
	",\"max_record\":\"16B\"", ",\"max_record\":\"100B\"" };
static const char *const too_long[] = { "", ",\"too_long\":\"truncate\"", ",\"too_long\":\"drop\"",
	",\"too_long\":\"split\"" };
static const char *const unterminated[] = { "", ",\"unterminated\":\"keep\"",
	",\"unterminated\":\"complete\"", ",\"unterminated\":\"drop\"" };
static const char *const tails[] = { "", ",{\"join\":\"length\"}", ",{\"filter\":\"a\"}",
	",{\"filter\":{\"not\":\"b\"}},{\"join\":\"length\"}",
	",{\"filter\":{\"regex\":\"^a|1\"}}" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	snprintf(stages, sizeof(stages),
		"[{\"split\":{\"on\":\"start\",\"flush_after\":\"1h\",%s%s%s%s}}%s]",
		CHOICE(starts, data[4]), CHOICE(limits, data[5]), CHOICE(too_long, data[5] / 5),
		CHOICE(unterminated, data[5] / 20), CHOICE(tails, data[6]));
	struct bench whole = cuts_check(&(struct cuts){
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD });
	bench_free(&whole);
	return 0;
}
