/* Finders, against looking at every place, for lanes of each kind. */

#include "pipeline/search/finder.h"

#include "pipeline/search/lanes.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DATA = 700 };

static unsigned char lower(char byte)
{
	return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

static const char *look(const struct literal *literal, const char *data, size_t size)
{
	for (size_t at = 0; at + literal->size <= size; at++) {
		size_t same = 0;
		while (same < literal->size &&
			(literal->fold ? lower(data[at + same]) == lower(literal->data[same])
				       : data[at + same] == literal->data[same]))
			same++;
		if (same == literal->size)
			return data + at;
	}
	return NULL;
}

/* All occurrences, in data that end where their memory does. */
static void check(const struct literal *literal, const char *text, size_t size)
{
	struct finder finder;
	char *data = malloc(size ? size : 1);
	for (size_t i = 0; i < size; i++)
		data[i] = text[i];
	cr_assert(finder_open(&finder, literal));
	cr_expect_geq(finder_cost(&finder), literal->size);
	for (size_t from = 0; from <= size;) {
		const char *wanted = look(literal, data + from, size - from);
		const char *found = finder_find(&finder, data + from, size - from);
		cr_assert_eq(found, wanted, "seed %llu, %s: %.*s in %zu bytes: %zd, not %zd",
			(unsigned long long)chance_seed(), lanes_name(), (int)literal->size,
			literal->data, size, found ? found - data : -1,
			wanted ? wanted - data : -1);
		if (!wanted)
			break;
		from = (size_t)(wanted - data) + 1;
	}
	finder_close(&finder);
	free(data);
}

static const char bytes[] = "abAB{[@`0_\n\0\xc1\xe1x:";

static void fill(char *data, size_t size, uint32_t letters)
{
	for (size_t i = 0; i < size; i++)
		data[i] = bytes[chance(letters)];
}

static void plant(char *data, size_t size, const struct literal *literal)
{
	if (literal->size > size)
		return;
	size_t at = chance((uint32_t)(size - literal->size) + 1);
	for (size_t i = 0; i < literal->size; i++) {
		bool letter = lower(literal->data[i]) >= 'a' && lower(literal->data[i]) <= 'z';
		char other = (char)(literal->data[i] ^ 0x20);
		data[at + i] = literal->fold && letter && chance(2) ? other : literal->data[i];
	}
}

static void check_random(size_t size)
{
	char text[MOST_DATA], needle[MOST_DATA];
	uint32_t letters = 2 + chance(chance(2) ? 3 : sizeof(bytes) - 3);
	struct literal literal = { needle, size, chance(2) };
	fill(needle, size, letters);
	size_t length = chance(3) ? chance(3 * (uint32_t)size + 80) : chance(MOST_DATA);
	length = length > MOST_DATA ? MOST_DATA : length;
	fill(text, length, letters);
	for (uint32_t i = chance(4); i > 0; i--)
		plant(text, length, &literal);
	check(&literal, text, length);
}

static void check_lanes(enum lanes most)
{
	lanes_limit_for_tests(most);
	chance_begin();
	for (int round = 0; round < 150; round++)
		for (size_t size = 1; size <= 64; size++)
			check_random(size);
	for (int round = 0; round < 200; round++)
		check_random(65 + chance(300));
}

Test(finder, finds_what_looking_at_every_place_finds_with_words)
{
	check_lanes(LANES_WORD);
}

Test(finder, finds_what_looking_at_every_place_finds_with_blocks)
{
	check_lanes(LANES_BLOCK);
}

Test(finder, finds_what_looking_at_every_place_finds_with_the_best)
{
	check_lanes(LANES_WIDE);
}

Test(finder, finds_at_every_place_of_data_of_every_size)
{
	static const struct literal literals[] = { { "x", 1, false }, { "X", 1, true },
		{ "x:", 2, false }, { "needle:0", 8, true }, { "a longer one, of 19", 19, false } };
	for (int most = LANES_WORD; most <= LANES_WIDE; most++) {
		lanes_limit_for_tests((enum lanes)most);
		for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++)
			for (size_t size = literals[i].size; size < 180; size++) {
				char text[180];
				size_t at = size - literals[i].size;
				memset(text, '.', sizeof(text));
				memcpy(text + at, literals[i].data, literals[i].size);
				check(&literals[i], text, size);
				check(&literals[i], text, size - 1);
				memcpy(text, literals[i].data, literals[i].size);
				check(&literals[i], text, size);
			}
	}
}

/* The two bytes are at every other place, the literal nowhere or at the end: the search gives up on them, and must go on
 * where it was. */
Test(finder, goes_on_where_it_gives_up)
{
	enum { SIZE = 20000, LITERAL = 3000 };
	static char text[SIZE], needle[LITERAL];
	for (int most = LANES_WORD; most <= LANES_WIDE; most++) {
		lanes_limit_for_tests((enum lanes)most);
		for (size_t i = 0; i < SIZE; i++)
			text[i] = i % 2 ? 'q' : 'z';
		for (size_t i = 0; i < LITERAL; i++)
			needle[i] = i % 2 ? 'q' : 'z';
		needle[LITERAL - 1] = 'x';
		needle[LITERAL - 2] = 'x';
		struct literal literal = { needle, LITERAL - 2, true };
		struct finder finder;
		cr_assert(finder_open(&finder, &literal));
		cr_expect_eq(finder_find(&finder, text, SIZE), text);
		finder_close(&finder);
		literal.size = LITERAL;
		literal.fold = false;
		cr_assert(finder_open(&finder, &literal));
		finder.first = (struct rare){ 0, 'z', 0 };
		finder.second = (struct rare){ 1, 'q', 0 };
		cr_expect_null(finder_find(&finder, text, SIZE));
		memcpy(text + SIZE - LITERAL, needle, LITERAL);
		cr_expect_eq(finder_find(&finder, text, SIZE), text + SIZE - LITERAL);
		finder_close(&finder);
	}
}
