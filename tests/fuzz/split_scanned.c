/* However a stream is cut, split by prefixes, sizes and quotes gives the same records, and those that are
 * there, and refuses what is malformed.
 *
 *     bytes 0–3   how the bytes come (driver/cuts.h)     byte 4   the framing
 *     byte 5      the limit, and the rule for what is unterminated
 *     byte 6      the stages behind; then the bytes
 */

#include "tests/fuzz/driver/cuts.h"
#include "tests/fuzz/driver/naive.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = CUTS_HEAD + 3 };

static const struct {
	const char *on;
	struct framing framing;
} framings[] = {
	{ "\"on\":\"octets\"", { .kind = FRAMING_OCTETS } },
	{ "\"on\":\"octets\",\"crlf\":true", { .kind = FRAMING_OCTETS, .crlf = true } },
	{ "\"on\":\"csv\"", { .kind = FRAMING_CSV } },
	{ "\"on\":\"csv\",\"crlf\":true", { .kind = FRAMING_CSV, .crlf = true } },
	{ "\"on\":\"netstring\"", { .kind = FRAMING_NETSTRING } },
	{ "\"on\":\"varint\"", { .kind = FRAMING_VARINT } },
	{ "\"on\":\"fixed\",\"size\":\"1B\"", { .kind = FRAMING_FIXED, .size = 1 } },
	{ "\"on\":\"fixed\",\"size\":\"20B\"", { .kind = FRAMING_FIXED, .size = 20 } },
	{ "\"on\":\"length\",\"bytes\":1", { .kind = FRAMING_LENGTH, .size = 1 } },
	{ "\"on\":\"length\",\"bytes\":2", { .kind = FRAMING_LENGTH, .size = 2 } },
	{ "\"on\":\"length\",\"bytes\":4", { .kind = FRAMING_LENGTH, .size = 4 } },
	{ "\"on\":\"length\",\"bytes\":8", { .kind = FRAMING_LENGTH, .size = 8 } },
	{ "\"on\":\"length\",\"bytes\":1,\"includes_header\":true",
		{ .kind = FRAMING_LENGTH, .size = 1, .includes_header = true } },
	{ "\"on\":\"length\",\"bytes\":2,\"order\":\"little\"",
		{ .kind = FRAMING_LENGTH, .size = 2, .little = true } },
	{ "\"on\":\"length\",\"order\":\"little\",\"includes_header\":true",
		{ .kind = FRAMING_LENGTH, .size = 4, .little = true, .includes_header = true } },
	{ "\"on\":\"length\",\"bytes\":8,\"order\":\"little\"",
		{ .kind = FRAMING_LENGTH, .size = 8, .little = true } },
};
/* What is allowed where it is not set depends on the buffers: a prefix may tell more than that. */
static const struct {
	const char *text;
	uint64_t value;
} limits[] = { { ",\"max_record\":\"4KiB\"", 4096 }, { ",\"max_record\":\"1B\"", 1 },
	{ ",\"max_record\":\"3B\"", 3 }, { ",\"max_record\":\"16B\"", 16 },
	{ ",\"max_record\":\"100B\"", 100 } };
static const struct {
	const char *text;
	enum naive_unterminated rule;
} unterminated[] = { { ",\"unterminated\":\"keep\"", NAIVE_KEEP },
	{ ",\"unterminated\":\"complete\"", NAIVE_COMPLETE },
	{ ",\"unterminated\":\"drop\"", NAIVE_OMIT }, { "", NAIVE_KEEP /* or as sockets do */ } };

#define JOINED ",{\"join\":\"length\"}"

static const char *const tails[] = { JOINED, "", ",{\"filter\":\"a\"}",
	(",{\"filter\":{\"not\":\"b\"}}" JOINED), ",{\"filter\":{\"regex\":\"^a|1\"}}" };

struct choices {
	const struct framing *framing;
	unsigned limit, unterminated;
};

static void compare(
	const struct choices *choices, const struct cuts *cuts, const struct bench *whole)
{
	bool fixed = choices->framing->kind == FRAMING_FIXED;
	struct naive naive = { .framing = *choices->framing,
		.limit = fixed ? UINT64_MAX : limits[choices->limit].value,
		.unterminated = unterminated[choices->unterminated].rule };

	if (*unterminated[choices->unterminated].text == '\0' && cuts->head[3] & CUTS_SOCKETS)
		naive.unterminated = NAIVE_COMPLETE;
	naive_scanned(&naive, cuts->data, cuts->size);
	naive_compare(&naive, whole);
}

/* Only lines may be unterminated, and all fixed records are of one size. */
static void write_stages(
	const struct choices *choices, const char *on, const char *tail, char *to, size_t size)
{
	enum framing_kind kind = choices->framing->kind;
	bool lines = kind == FRAMING_OCTETS || kind == FRAMING_CSV;

	snprintf(to, size, "[{\"split\":{%s%s%s}}%s]", on,
		kind == FRAMING_FIXED ? "" : limits[choices->limit].text,
		lines ? unterminated[choices->unterminated].text : "", tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[512];
	if (size < HEAD || size > HEAD + CUTS_MOST)
		return 0;
	const char *tail = CHOICE(tails, data[6]);
	struct choices choices = { .framing = &CHOICE(framings, data[4]).framing,
		.limit = data[5] % 5,
		.unterminated = data[5] / 5 % 4 };
	struct cuts cuts = {
		.stages = stages, .head = data, .data = data + HEAD, .size = size - HEAD
	};
	write_stages(&choices, CHOICE(framings, data[4]).on, tail, stages, sizeof(stages));
	struct bench whole = cuts_check(&cuts);
	if (tail == tails[0] && cuts_are_plain(&cuts))
		compare(&choices, &cuts, &whole);
	bench_free(&whole);
	return 0;
}
