/* However a stream is cut, and however small the buffers, split on a delimiter gives the same records,
 * and those that are there.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)     byte 4   the delimiter
 *     byte 5      the limit, and the rules for what is too long or unterminated
 *     byte 6      the stages behind; then the bytes
 */

#include "tests/fuzz/driver/cuts.h"
#include "tests/fuzz/driver/naive.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 3 };

static const struct {
	const char *on, *delimiter;
	uint32_t size;
	bool crlf;
} delimiters[] = {
	{ "\"on\":\"newline\"", "\n", 1, false },
	{ "\"on\":\"newline\",\"crlf\":true", "\n", 1, true },
	{ "\"on\":\"nul\"", "", 1, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"ab\"", "ab", 2, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aa\"", "aa", 2, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aba\"", "aba", 3, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"\\r\\n\"", "\r\n", 2, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aabaaab\"", "aabaaab", 7, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"abcdefghijklmnopqrstuvwxyz\"",
		"abcdefghijklmnopqrstuvwxyz", 26, false },
	{ "\"on\":\"delimiter\",\"delimiter\":\"\\n\",\"crlf\":true", "\n", 1, true },
};
static const struct {
	const char *text;
	uint64_t value;
} limits[] = { { "", UINT64_MAX }, { ",\"max_record\":\"1B\"", 1 }, { ",\"max_record\":\"3B\"", 3 },
	{ ",\"max_record\":\"16B\"", 16 }, { ",\"max_record\":\"100B\"", 100 } };
static const struct {
	const char *text;
	enum naive_too_long rule;
} too_long[] = { { "", NAIVE_TRUNCATE }, { ",\"too_long\":\"truncate\"", NAIVE_TRUNCATE },
	{ ",\"too_long\":\"drop\"", NAIVE_DROP }, { ",\"too_long\":\"split\"", NAIVE_SPLIT } };
static const struct {
	const char *text;
	enum naive_unterminated rule;
} unterminated[] = { { ",\"unterminated\":\"keep\"", NAIVE_KEEP },
	{ ",\"unterminated\":\"complete\"", NAIVE_COMPLETE },
	{ ",\"unterminated\":\"drop\"", NAIVE_OMIT }, { "", NAIVE_KEEP /* or as sockets do */ } };

#define JOINED ",{\"join\":\"length\"}"

static const char *const tails[] = { JOINED, "", ",{\"filter\":\"a\"}",
	",{\"filter\":{\"not\":\"b\"}}", ",{\"filter\":{\"regex\":\"a.?$\"}}",
	",{\"filter\":{\"starts_with\":\"a\"}}", (",{\"filter\":{\"not\":\"b\"}}" JOINED) };

struct choices {
	unsigned delimiter, limit, too_long, unterminated;
};

static void compare(
	const struct choices *choices, const struct cuts *cuts, const struct bench *whole)
{
	unsigned i = choices->delimiter;
	struct naive naive = { .framing = framing_delimited(delimiters[i].delimiter,
				       delimiters[i].size, delimiters[i].crlf),
		.limit = limits[choices->limit].value,
		.too_long = too_long[choices->too_long].rule,
		.unterminated = unterminated[choices->unterminated].rule };

	if (*unterminated[choices->unterminated].text == '\0' && cuts->head[3] & CUTS_SOCKETS)
		naive.unterminated = NAIVE_COMPLETE;
	naive_delimited(&naive, cuts->data, cuts->size);
	naive_compare(&naive, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	const char *tail = CHOICE(tails, data[6]);
	struct choices choices = { .delimiter =
					   data[4] % (sizeof(delimiters) / sizeof(*delimiters)),
		.limit = data[5] % 5,
		.too_long = data[5] / 5 % 4,
		.unterminated = data[5] / 20 % 4 };
	struct cuts cuts = {
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD
	};
	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s%s}}%s]",
		delimiters[choices.delimiter].on, limits[choices.limit].text,
		too_long[choices.too_long].text, unterminated[choices.unterminated].text, tail);
	struct bench whole = cuts_check(&cuts);
	if (tail == tails[0] && cuts_are_plain(&cuts))
		compare(&choices, &cuts, &whole);
	bench_free(&whole);
	return 0;
}
