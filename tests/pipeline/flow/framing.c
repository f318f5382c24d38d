/* Framing against a walk that looks at one byte after the other. */

#include "pipeline/flow/framing.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The size up to the end of the record that starts at `start`; 0 if it does not end. */
static size_t walk(const char *delimiter, const char *data, size_t start, size_t size)
{
	size_t width = strlen(delimiter);
	for (size_t at = start; at + width <= size; at++)
		if (memcmp(data + at, delimiter, width) == 0)
			return at + width;
	return 0;
}

static void check(
	const struct framing *framing, const char *delimiter, const char *data, size_t size)
{
	size_t last = 0, count = 0;
	for (size_t end; (end = walk(delimiter, data, last, size)) > 0; last = end)
		count++;
	cr_assert_eq(framing_first(framing, data, size), walk(delimiter, data, 0, size));
	cr_assert_eq(framing_last(framing, data, size), last, "\"%s\" in \"%.*s\"", delimiter,
		(int)size, data);
	cr_assert_eq(framing_count(framing, data, size), count);
}

static void check_starts(
	const struct framing *framing, const char *delimiter, const char *data, size_t size)
{
	size_t start = 0;
	for (size_t at = 0; at < size; at++) {
		size_t end = walk(delimiter, data, start, at);
		if (end > 0)
			start = end;
		cr_assert_eq(framing_start(framing, data, at), start);
	}
}

static bool overlaps(const char *delimiter)
{
	for (size_t shift = 1; delimiter[shift]; shift++)
		if (strncmp(delimiter + shift, delimiter, strlen(delimiter + shift)) == 0)
			return true;
	return false;
}

/* The data ends where its memory ends, so that AddressSanitizer sees a look beyond. */
static void check_delimiter(const char *delimiter, size_t size, uint32_t letters)
{
	char *data = malloc(size + 1);
	struct framing framing = framing_delimited(delimiter, (uint32_t)strlen(delimiter), false);
	cr_assert_eq(framing.self_overlapping, overlaps(delimiter));
	for (size_t i = 0; i < size; i++)
		data[i] = (char)('a' + chance(letters));
	char *end = realloc(data, size > 0 ? size : 1);
	check(&framing, delimiter, end, size);
	check_starts(&framing, delimiter, end, size);
	free(end);
}

Test(framing, agrees_with_a_walk)
{
	for (uint32_t length = 1; length <= 5; length++)
		for (uint32_t letters = 0; letters < 1u << length; letters++) {
			char delimiter[8] = { 0 };
			for (uint32_t i = 0; i < length; i++)
				delimiter[i] = letters >> i & 1 ? 'b' : 'a';
			for (size_t size = 0; size < 40; size++)
				check_delimiter(delimiter, size, 2 + chance(2));
			check_delimiter(delimiter, 300, 3);
		}
}

/* A lane of the counter overflows at 256 blocks of 16 bytes. */
Test(framing, counts_long_runs)
{
	enum { SIZE = 16 * 600 + 5 };
	char data[SIZE];
	struct framing framing = framing_delimited("\n", 1, false);
	memset(data, '\n', SIZE);
	cr_assert_eq(framing_count(&framing, data, SIZE), SIZE);
	for (int round = 0; round < 50; round++) {
		size_t size = chance(SIZE);
		uint32_t share = 1 + chance(6);
		for (size_t i = 0; i < size; i++)
			data[i] = chance(share) == 0 ? '\n' : 'x';
		check(&framing, "\n", data, size);
	}
}

Test(framing, an_odd_place_of_a_delimiter_that_overlaps_itself)
{
	struct framing framing = framing_delimited("aa", 2, false);
	cr_assert_eq(framing_first(&framing, "xaaay", 5), 3);
	cr_assert_eq(framing_last(&framing, "xaaay", 5), 3);
	cr_assert_eq(framing_last(&framing, "aaaa", 4), 4);
	cr_assert_eq(framing_last(&framing, "aaaaa", 5), 4);
	cr_assert_eq(framing_count(&framing, "aaaaa", 5), 2);
	cr_assert_eq(framing_start(&framing, "xaaay", 4), 3);
}

static void check_content(struct framing framing, const char *record, bool bare, size_t content)
{
	struct content found = framing_content(&framing, record, strlen(record), bare);
	cr_assert_eq(found.offset, 0);
	cr_assert_eq(found.size, content);
}

Test(framing, content_has_no_delimiter)
{
	check_content(framing_delimited("\n", 1, false), "abc\n", false, 3);
	check_content(framing_delimited("\n", 1, false), "abc\r\n", false, 4);
	check_content(framing_delimited("\n", 1, false), "abc", true, 3);
	check_content(framing_delimited("\n", 1, false), "\n", false, 0);
	check_content(framing_delimited("--", 2, false), "abc--", false, 3);
	check_content(framing_delimited("\n", 1, true), "abc\r\n", false, 3);
	check_content(framing_delimited("\n", 1, true), "abc\r\r\n", false, 4);
	check_content(framing_delimited("\n", 1, true), "abc\n", false, 3);
	check_content(framing_delimited("\n", 1, true), "\r\n", false, 0);
	check_content(framing_delimited("\n", 1, true), "\n", false, 0);
	check_content(framing_delimited("\n", 1, true), "abc\r", true, 4);
}

Test(framing, knows_lines)
{
	cr_assert(framing_delimited("\n", 1, false).newline);
	cr_assert(framing_delimited("\n", 1, true).crlf);
	cr_assert_not(framing_delimited("\0", 1, true).crlf);
	cr_assert_not(framing_delimited("\n\n", 2, true).newline);
	cr_assert_not(framing_delimited("\r\n", 2, true).crlf);
}

Test(framing, nul_is_a_delimiter)
{
	struct framing framing = framing_delimited("", 1, false);
	cr_assert_eq(framing_first(&framing, "ab\0c\0d", 6), 3);
	cr_assert_eq(framing_last(&framing, "ab\0c\0d", 6), 5);
	cr_assert_eq(framing_count(&framing, "ab\0c\0d", 6), 2);
}
