/* However a stream is cut, and however small the buffers, split on a delimiter gives the same records.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)     byte 4   the delimiter
 *     byte 5      the limit, and the rules for what is too long or unterminated
 *     byte 6      the stages behind; then the bytes
 */

#include "tests/fuzz/driver/cuts.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 3 };

static const char *const delimiters[] = {
	"\"on\":\"newline\"",
	"\"on\":\"newline\",\"crlf\":true",
	"\"on\":\"nul\"",
	"\"on\":\"delimiter\",\"delimiter\":\"ab\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aa\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aba\"",
	"\"on\":\"delimiter\",\"delimiter\":\"\\r\\n\"",
	"\"on\":\"delimiter\",\"delimiter\":\"aabaaab\"",
	"\"on\":\"delimiter\",\"delimiter\":\"abcdefghijklmnopqrstuvwxyz\"",
	"\"on\":\"delimiter\",\"delimiter\":\"\\n\",\"crlf\":true",
};
static const char *const limits[] = { "", ",\"max_record\":\"1B\"", ",\"max_record\":\"3B\"",
	",\"max_record\":\"16B\"", ",\"max_record\":\"100B\"" };
static const char *const too_long[] = { "", ",\"too_long\":\"truncate\"", ",\"too_long\":\"drop\"",
	",\"too_long\":\"split\"" };
static const char *const unterminated[] = { "", ",\"unterminated\":\"keep\"",
	",\"unterminated\":\"complete\"", ",\"unterminated\":\"drop\"" };
static const char *const tails[] = { "", ",{\"filter\":\"a\"}", ",{\"filter\":{\"not\":\"b\"}}",
	",{\"filter\":{\"regex\":\"a.?$\"}}", ",{\"filter\":{\"starts_with\":\"a\"}}",
	",{\"join\":\"length\"}", ",{\"filter\":{\"not\":\"b\"}},{\"join\":\"length\"}" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s%s}}%s]", CHOICE(delimiters, data[4]),
		CHOICE(limits, data[5]), CHOICE(too_long, data[5] / 5),
		CHOICE(unterminated, data[5] / 20), CHOICE(tails, data[6]));
	cuts_check(&(struct cuts){
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD });
	return 0;
}
