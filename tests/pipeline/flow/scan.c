/* Scans: the same borders wherever the bytes are cut, and what is malformed. */

#include "pipeline/flow/scan.h"

#include <criterion/criterion.h>
#include <string.h>

static struct framing of_length(uint32_t size, bool little, bool includes_header)
{
	struct framing framing = framing_of_kind(FRAMING_LENGTH, false);
	framing.size = size;
	framing.little = little;
	framing.includes_header = includes_header;
	return framing;
}

static struct framing fixed(uint32_t size)
{
	struct framing framing = framing_of_kind(FRAMING_FIXED, false);
	framing.size = size;
	return framing;
}

static struct framing kind(enum framing_kind kind)
{
	return framing_of_kind(kind, false);
}

/* Reads one record in two pieces. */
static enum scan_result scan_cut(const struct framing *framing, const char *data, size_t size,
	size_t cut, uint64_t limit, size_t *used)
{
	struct scan scan = { 0 };
	enum scan_result result = scan_record(framing, &scan, limit, data, cut, used);
	if (result != SCAN_GOES_ON)
		return result;
	cr_assert_eq(*used, cut);
	size_t more;
	result = scan_record(framing, &scan, limit, data + cut, size - cut, &more);
	*used = cut + more;
	return result;
}

static void check_record(struct framing framing, const char *data, size_t size, size_t whole,
	size_t offset, size_t content)
{
	size_t used;
	for (size_t cut = 0; cut <= size; cut++) {
		cr_assert_eq(scan_cut(&framing, data, size, cut, SCAN_NO_LIMIT, &used), SCAN_ENDS);
		cr_assert_eq(used, whole, "kind %d, cut at %zu: %zu", framing.kind, cut, used);
	}
	struct scan scan = { 0 };
	for (size_t i = 0; i < whole; i++)
		cr_assert_eq(scan_record(&framing, &scan, SCAN_NO_LIMIT, data + i, 1, &used),
			i + 1 < whole ? SCAN_GOES_ON : SCAN_ENDS);
	struct content found = framing_content(&framing, data, whole, false);
	cr_assert_eq(found.offset, offset);
	cr_assert_eq(found.size, content);
	cr_assert_eq(framing_first(&framing, data, size), whole);
	cr_assert_eq(framing_first(&framing, data, whole - 1), 0);
}

#define RECORD(framing, text, ...) check_record(framing, text, sizeof(text) - 1, __VA_ARGS__)

Test(scan, finds_ends_wherever_it_is_cut)
{
	RECORD(of_length(1, false, false), "\3abcx", 4, 1, 3);
	RECORD(of_length(2, false, false), "\0\3abcx", 5, 2, 3);
	RECORD(of_length(2, true, false), "\3\0abcx", 5, 2, 3);
	RECORD(of_length(4, false, true), "\0\0\0\7abcx", 7, 4, 3);
	RECORD(of_length(4, false, true), "\0\0\0\4x", 4, 4, 0);
	RECORD(of_length(8, false, false), "\0\0\0\0\0\0\0\3abcx", 11, 8, 3);
	RECORD(of_length(8, true, false), "\3\0\0\0\0\0\0\0abcx", 11, 8, 3);
	RECORD(kind(FRAMING_VARINT), "\3abcx", 4, 1, 3);
	RECORD(kind(FRAMING_VARINT), "\0x", 1, 1, 0);
	RECORD(kind(FRAMING_VARINT),
		"\x83\x80\x00"
		"abcx",
		6, 3, 3);
	RECORD(kind(FRAMING_NETSTRING), "3:abc,x", 6, 2, 3);
	RECORD(kind(FRAMING_NETSTRING), "0:,x", 3, 2, 0);
	RECORD(kind(FRAMING_OCTETS), "3 abcx", 5, 2, 3);
	RECORD(kind(FRAMING_OCTETS), "<34>abc\nx", 8, 0, 7);
	RECORD(kind(FRAMING_OCTETS), "-abc\nx", 5, 0, 4);
	RECORD(kind(FRAMING_OCTETS), "\nx", 1, 0, 0);
	RECORD(fixed(3), "abcx", 3, 0, 3);
	RECORD(kind(FRAMING_CSV), "a,b\nx", 4, 0, 3);
	RECORD(kind(FRAMING_CSV), "a,\"b\nc\"\nx", 8, 0, 7);
	RECORD(kind(FRAMING_CSV), "\"b\"\"\n\"\"\"\n\"x", 9, 0, 8);
	RECORD(framing_of_kind(FRAMING_CSV, true), "a\r\nx", 3, 0, 1);
}

static void check_bad(struct framing framing, const char *data, size_t size)
{
	for (size_t cut = 0; cut <= size; cut++) {
		size_t used;
		cr_assert_eq(scan_cut(&framing, data, size, cut, 1000, &used), SCAN_MALFORMED,
			"kind %d, \"%s\", cut at %zu", framing.kind, data, cut);
	}
	cr_assert_eq(framing_first(&framing, data, size), 0);
}

#define BAD(framing, text) check_bad(framing, text, sizeof(text) - 1)

Test(scan, tells_what_is_malformed)
{
	BAD(kind(FRAMING_OCTETS), "0 abc");
	BAD(kind(FRAMING_OCTETS), "03 abc");
	BAD(kind(FRAMING_OCTETS), "-3 abc");
	BAD(kind(FRAMING_OCTETS), "3<34>abc");
	BAD(kind(FRAMING_OCTETS), "2147483648 abc");
	BAD(kind(FRAMING_OCTETS), "18446744073709551616 abc");
	BAD(kind(FRAMING_OCTETS), "18446744073709551619 abc");
	BAD(kind(FRAMING_NETSTRING), "3:abcd");
	BAD(kind(FRAMING_NETSTRING), "03:abc,");
	BAD(kind(FRAMING_NETSTRING), ":,");
	BAD(kind(FRAMING_NETSTRING), "-3:abc,");
	BAD(kind(FRAMING_NETSTRING), "2147483648:");
	BAD(kind(FRAMING_VARINT), "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
	BAD(kind(FRAMING_VARINT), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
	BAD(kind(FRAMING_VARINT), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	BAD(of_length(4, false, true), "\0\0\0\3abc");
	BAD(of_length(4, false, false), "\x80\0\0\0");
	BAD(of_length(8, false, false), "\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void check_long(struct framing framing, const char *data, size_t size, bool is_long)
{
	struct scan scan = { 0 };
	size_t used, rest = 0;
	enum scan_result result = scan_record(&framing, &scan, 3, data, size, &used);
	cr_assert_eq(result, is_long ? SCAN_TOO_LONG : SCAN_ENDS);
	if (is_long)
		result = scan_record(
			&framing, &scan, SCAN_NO_LIMIT, data + used, size - used, &rest);
	cr_assert_eq(result, SCAN_ENDS);
	cr_assert_eq(used + rest, size);
}

Test(scan, tells_what_is_too_long_and_goes_on_to_its_end)
{
	check_long(kind(FRAMING_OCTETS), "3 abc", 5, false);
	check_long(kind(FRAMING_OCTETS), "4 abcd", 6, true);
	check_long(kind(FRAMING_OCTETS), "abc\n", 4, false);
	check_long(kind(FRAMING_OCTETS), "abcd\n", 5, true);
	check_long(kind(FRAMING_NETSTRING), "3:abc,", 6, false);
	check_long(kind(FRAMING_NETSTRING), "4:abcd,", 7, true);
	check_long(kind(FRAMING_VARINT), "\3abc", 4, false);
	check_long(kind(FRAMING_VARINT), "\4abcd", 5, true);
	check_long(kind(FRAMING_CSV), "\"\n\"\n", 4, false);
	check_long(kind(FRAMING_CSV), "\"\na\"\n", 5, true);
}

Test(scan, knows_what_may_lack_its_end)
{
	static const struct {
		enum framing_kind kind;
		const char *text;
		bool may;
	} cases[] = {
		{ FRAMING_OCTETS, "<34>abc", true },
		{ FRAMING_OCTETS, "12 abc", false },
		{ FRAMING_OCTETS, "1", false },
		{ FRAMING_OCTETS, "-", false },
		{ FRAMING_NETSTRING, "3:abc", false },
		{ FRAMING_CSV, "a,\"b\"", true },
		{ FRAMING_CSV, "a,\"b", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct framing framing = kind(cases[i].kind);
		struct scan scan = { 0 };
		size_t used, size = strlen(cases[i].text);
		cr_assert_eq(scan_record(&framing, &scan, 100, cases[i].text, size, &used),
			SCAN_GOES_ON);
		cr_assert_eq(scan_may_be_bare(&scan), cases[i].may, "%s", cases[i].text);
	}
}
