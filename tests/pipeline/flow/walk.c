/* A walk goes as far as a scan of one record after the other does, and counts as many. */

#include "pipeline/flow/walk.h"

#include "pipeline/flow/prefix.h"
#include "pipeline/flow/scan.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000 };

static struct walk scan_all(
	const struct framing *framing, const char *data, size_t size, uint64_t limit)
{
	struct walk walk = { 0 };
	for (;;) {
		struct scan scan = { 0 };
		size_t used;
		if (scan_record(framing, &scan, limit, data + walk.end, size - walk.end, &used) !=
			SCAN_ENDS)
			return walk;
		walk.end += used;
		walk.records++;
	}
}

/* The data ends where its memory ends, so that AddressSanitizer sees a look beyond. */
static char *exactly(const char *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	memcpy(copy, data, size);
	return copy;
}

static void check(const struct framing *framing, const char *bytes, size_t size, uint64_t limit)
{
	char *data = exactly(bytes, size);
	struct walk found = walk_records(framing, data, size, limit);
	struct walk wanted = scan_all(framing, data, size, limit);
	cr_assert_eq(found.end, wanted.end, "kind %d, %zu bytes: %zu, not %zu", (int)framing->kind,
		size, found.end, wanted.end);
	cr_assert_eq(found.records, wanted.records);
	free(data);
}

static const uint64_t limits[] = { SCAN_NO_LIMIT, FRAMING_MOST, 300, 20, 3 };

/* Every prefix of it, and each with another limit. */
static void check_cuts(const struct framing *framing, const char *data, size_t size)
{
	for (size_t cut = size > 70 ? size - 70 : 0; cut <= size; cut++)
		check(framing, data, cut, limits[chance(5)]);
	check(framing, data, chance((uint32_t)size + 1), SCAN_NO_LIMIT);
}

static size_t content_size(void)
{
	static const uint32_t sizes[] = { 2, 12, 130, 130, 400 };
	return chance(sizes[chance(5)]);
}

static size_t add_record(const struct framing *framing, char *to)
{
	size_t content = content_size();
	if (framing->size == 1 && content > 200)
		content = 200;
	size_t size = prefix_write(framing, content, to);
	for (size_t i = 0; i < content; i++)
		to[size++] = (char)chance(256);
	if (framing->kind == FRAMING_NETSTRING)
		to[size++] = ',';
	return size;
}

/* An octet count may also be none: a line. */
static size_t add_line(char *to)
{
	size_t size = content_size();
	to[0] = '<';
	memset(to + 1, 'x', size);
	to[size + 1] = '\n';
	return size + 2;
}

static void check_prefixes(struct framing framing, bool damaged)
{
	char data[MOST];
	for (int round = 0; round < 60; round++) {
		size_t size = 0;
		for (uint32_t records = chance(30); records > 0 && size < MOST - 450; records--)
			size += framing.kind == FRAMING_OCTETS && chance(5) == 0
					? add_line(data + size)
					: add_record(&framing, data + size);
		if (damaged && size > 0)
			data[chance((uint32_t)size)] = "09-:,  x\xff"[chance(9)];
		check_cuts(&framing, data, size);
	}
}

Test(walk, prefixes)
{
	static const uint32_t widths[] = { 1, 2, 4, 8 };
	for (int way = 0; way < 32; way++) {
		struct framing length = framing_of_kind(FRAMING_LENGTH, false);
		length.size = widths[way % 4];
		length.little = way & 4;
		length.includes_header = way & 8;
		check_prefixes(length, way & 16);
	}
	for (int damaged = 0; damaged < 2; damaged++) {
		check_prefixes(framing_of_kind(FRAMING_VARINT, false), damaged);
		check_prefixes(framing_of_kind(FRAMING_OCTETS, false), damaged);
		check_prefixes(framing_of_kind(FRAMING_NETSTRING, false), damaged);
	}
}

static void check_text(const struct framing *framing, const char *text, size_t records)
{
	cr_assert_eq(walk_records(framing, text, strlen(text), SCAN_NO_LIMIT).records, records,
		"%s", text);
	check(framing, text, strlen(text), SCAN_NO_LIMIT);
}

Test(walk, odd_prefixes)
{
	struct framing netstring = framing_of_kind(FRAMING_NETSTRING, false);
	struct framing octets = framing_of_kind(FRAMING_OCTETS, false);
	struct framing varint = framing_of_kind(FRAMING_VARINT, false);
	check_text(&netstring, "0:,0:,", 2);
	check_text(&netstring, "1:a,01:a,", 1);
	check_text(&netstring, "1:a;1:a,", 0);
	check_text(&netstring, ":,", 0);
	check_text(&netstring, "99999999999999999999:", 0);
	check_text(&octets, "0 1 a", 0);
	check_text(&octets, "1 a01 a", 1);
	check_text(&octets, "1 a-x\n2 ab", 3);
	check_text(&octets, "1 a-1 x\n", 1);
	check_text(&octets, "0000000001 a", 0);
	check_text(&varint,
		"\x81\x80\x80\x80\x80"
		"abc",
		0);
	check_text(&varint,
		"\x81\x80\x80\x80\x01"
		"a",
		0);
}

Test(walk, prefixes_that_are_longer_than_they_need_to_be)
{
	struct framing varint = framing_of_kind(FRAMING_VARINT, false);
	check(&varint, "\x80\x80\x80\x80\x80\x00\x01x", 8, SCAN_NO_LIMIT);
	cr_assert_eq(
		walk_records(&varint, "\x80\x80\x80\x80\x80\x00\x01x", 8, SCAN_NO_LIMIT).records,
		2);
}

Test(walk, records_of_one_size)
{
	struct framing fixed = framing_of_kind(FRAMING_FIXED, false);
	char data[200];
	memset(data, 'x', sizeof(data));
	for (fixed.size = 1; fixed.size < 210; fixed.size++)
		check(&fixed, data, chance(201), limits[chance(5)]);
}

static void check_quoted(const char *data, size_t size)
{
	struct framing csv = framing_of_kind(FRAMING_CSV, false);
	char *exact = exactly(data, size);
	struct walk wanted = scan_all(&csv, exact, size, SCAN_NO_LIMIT);
	for (enum mask_set set = MASK_PORTABLE; set <= mask_best(); set++) {
		struct walk found = walk_quoted(set, exact, size);
		cr_assert_eq(found.end, wanted.end);
		cr_assert_eq(found.records, wanted.records);
	}
	free(exact);
	check(&csv, data, size, limits[chance(5)]);
}

Test(walk, quotes)
{
	char data[MOST];
	for (int round = 0; round < 3000; round++) {
		size_t size = chance(round % 2 ? 200 : MOST);
		uint32_t letters = 3 + chance(60);
		for (size_t i = 0; i < size; i++) {
			uint32_t letter = chance(letters);
			data[i] = letter == 0 ? '"' : letter == 1 ? '\n' : 'x';
		}
		check_quoted(data, size);
	}
}

/* The first delimiter that begins behind the one before, as long as there is one. */
static struct walk find_all(const char *delimiter, const char *data, size_t size)
{
	size_t width = strlen(delimiter);
	struct walk walk = { 0 };
	for (size_t at = 0; at + width <= size; at++)
		if (at >= walk.end && memcmp(data + at, delimiter, width) == 0) {
			walk.end = at + width;
			walk.records++;
		}
	return walk;
}

static void check_delimiter(const char *delimiter, size_t size, uint32_t letters)
{
	char data[MOST];
	struct framing framing = framing_delimited(delimiter, (uint32_t)strlen(delimiter), false);
	for (size_t i = 0; i < size; i++)
		data[i] = chance(9) == 0 ? (char)('a' + chance(letters))
					 : delimiter[i % framing.delimiter_size];
	char *exact = exactly(data, size);
	struct walk wanted = find_all(delimiter, exact, size);
	for (enum mask_set set = MASK_PORTABLE; set <= mask_best(); set++) {
		struct walk found = walk_delimiters(set, &framing, exact, size);
		cr_assert_eq(found.end, wanted.end, "\"%s\" by %d", delimiter, (int)set);
		cr_assert_eq(found.records, wanted.records);
	}
	struct walk found = walk_records(&framing, exact, size, SCAN_NO_LIMIT);
	cr_assert_eq(found.end, wanted.end);
	cr_assert_eq(found.records, wanted.records);
	free(exact);
}

Test(walk, delimiters)
{
	static const char *const delimiters[] = { "a", "ab", "aa", "aba", "aaa", "abc", "aabaa",
		"abcdefgh", "||\n", "aaaaaaaaab" };
	for (size_t i = 0; i < sizeof(delimiters) / sizeof(*delimiters); i++)
		for (int round = 0; round < 400; round++)
			check_delimiter(
				delimiters[i], chance(round % 2 ? 150 : 2000), 1 + chance(4));
}

Test(walk, nothing)
{
	struct framing framing = framing_delimited("\n", 1, false);
	cr_assert_eq(walk_records(&framing, NULL, 0, SCAN_NO_LIMIT).end, 0);
	for (enum framing_kind kind = FRAMING_LENGTH; kind <= FRAMING_CSV; kind++) {
		framing = framing_of_kind(kind, false);
		framing.size = 4;
		cr_assert_eq(walk_records(&framing, NULL, 0, SCAN_NO_LIMIT).records, 0);
	}
}
