/* However a stream is cut, split by prefixes, sizes and quotes gives the same records, and refuses the same.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)     byte 4   the framing
 *     byte 5      the limit, and the rule for what is unterminated
 *     byte 6      the stages behind; then the bytes
 */

#include "tests/fuzz/driver/cuts.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 3 };

static const struct {
	const char *on;
	bool lines, fixed; /* may be unterminated; all of one size */
} framings[] = {
	{ "\"on\":\"octets\"", true, false },
	{ "\"on\":\"octets\",\"crlf\":true", true, false },
	{ "\"on\":\"csv\"", true, false },
	{ "\"on\":\"csv\",\"crlf\":true", true, false },
	{ "\"on\":\"netstring\"", false, false },
	{ "\"on\":\"varint\"", false, false },
	{ "\"on\":\"fixed\",\"size\":\"1B\"", false, true },
	{ "\"on\":\"fixed\",\"size\":\"20B\"", false, true },
	{ "\"on\":\"length\",\"bytes\":1", false, false },
	{ "\"on\":\"length\",\"bytes\":2", false, false },
	{ "\"on\":\"length\",\"bytes\":4", false, false },
	{ "\"on\":\"length\",\"bytes\":8", false, false },
	{ "\"on\":\"length\",\"bytes\":1,\"includes_header\":true", false, false },
	{ "\"on\":\"length\",\"bytes\":2,\"order\":\"little\"", false, false },
	{ "\"on\":\"length\",\"order\":\"little\",\"includes_header\":true", false, false },
	{ "\"on\":\"length\",\"bytes\":8,\"order\":\"little\"", false, false },
};
/* What is allowed where it is not set depends on the buffers: a prefix may tell more than that. */
static const char *const limits[] = { ",\"max_record\":\"4KiB\"", ",\"max_record\":\"1B\"",
	",\"max_record\":\"3B\"", ",\"max_record\":\"16B\"", ",\"max_record\":\"100B\"" };
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
	bool lines = CHOICE(framings, data[4]).lines, fixed = CHOICE(framings, data[4]).fixed;
	snprintf(stages, sizeof(stages), "[{\"split\":{%s%s%s}}%s]", CHOICE(framings, data[4]).on,
		fixed ? "" : CHOICE(limits, data[5]),
		lines ? CHOICE(unterminated, data[5] / 5) : "", CHOICE(tails, data[6]));
	cuts_check(&(struct cuts){
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD });
	return 0;
}
