/* Sets of literals, in each way, against looking at every byte for each of them. */

#include "pipeline/search/literal_set.h"

#include "pipeline/search/lanes.h"
#include "pipeline/search/literal_slices.h"
#include "pipeline/search/literal_table.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LITERALS = 500, MOST_SIZE = 300, MOST_DATA = 2000 };

static unsigned char lower(char byte)
{
	return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

static bool is_at(const struct literal *literal, const char *data)
{
	for (size_t i = 0; i < literal->size; i++)
		if (literal->fold ? lower(data[i]) != lower(literal->data[i])
				  : data[i] != literal->data[i])
			return false;
	return true;
}

/* The smallest end of an occurrence; 0: there is none. */
static size_t first_end(const struct literal *literals, size_t count, const char *data, size_t size)
{
	size_t first = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at + literals[i].size <= size; at++) {
			size_t end = at + literals[i].size;
			if ((first == 0 || end < first) && is_at(&literals[i], data + at))
				first = end;
		}
	return first;
}

static const char bytes[] = "abABcxyZ019_-. /:=\n\r\0~\xc1\xe1[{@`";

static void random_literals(struct literal *literals, size_t count)
{
	uint32_t longest = chance(4) ? 1 + chance(9) : 1 + chance(chance(4) ? 30 : MOST_SIZE);
	uint32_t shortest = 1 + chance(longest), letters = 2 + chance(sizeof(bytes) - 3),
		 fold = chance(3);
	for (size_t i = 0; i < count; i++) {
		size_t size = shortest + chance(longest - shortest + 1);
		char *data = malloc(size);
		for (size_t j = 0; j < size; j++)
			data[j] = bytes[chance(letters)];
		literals[i] = (struct literal){ data, size, fold == 2 ? chance(2) : fold };
	}
}

static void plant(char *data, size_t size, const struct literal *literal)
{
	if (literal->size > size)
		return;
	size_t room = size - literal->size;
	size_t at = chance(3) ? chance((uint32_t)room + 1) : chance(2) ? 0 : room;
	for (size_t i = 0; i < literal->size; i++) {
		char byte = literal->data[i];
		bool letter = lower(byte) >= 'a' && lower(byte) <= 'z';
		data[at + i] = literal->fold && letter && chance(2) ? (char)(byte ^ 32) : byte;
	}
}

static size_t random_data(char *data, const struct literal *literals, size_t count)
{
	size_t size = chance(chance(5) ? 100 : MOST_DATA);
	uint32_t rarity = 1 + chance(20), letters = 2 + chance(sizeof(bytes) - 3);
	for (size_t i = 0; i < size; i++)
		data[i] = chance(rarity) ? 'q' : bytes[chance(letters)];
	for (uint32_t i = chance(5); i > 0; i--)
		plant(data, size, &literals[chance((uint32_t)count)]);
	return size;
}

/* All ways to look for the same literals; NULL: this one cannot. */
struct ways {
	struct literal_set *set;
	struct literal_table *table;
	struct literal_slices *narrow, *wide;
};

static void ways_open(struct ways *ways, const struct literal *literals, size_t count)
{
	ways->table = literal_table_create(literals, count);
	cr_assert(ways->table);
	cr_assert_gt(literal_table_cost(ways->table), count * sizeof(struct literal));
	lanes_limit_for_tests(LANES_TABLE);
	ways->narrow = literal_slices_create(literals, count);
	lanes_limit_for_tests(LANES_WIDE);
	ways->wide = literal_slices_create(literals, count);
	cr_assert_eq(ways->wide != NULL, lanes_best() >= LANES_TABLE);
	lanes_limit_for_tests(chance(8) ? LANES_WIDE : LANES_BLOCK);
	ways->set = literal_set_create(literals, count);
	cr_assert(ways->set);
	cr_assert_gt(literal_set_cost(ways->set), count * sizeof(struct literal));
}

static void ways_close(struct ways *ways)
{
	literal_set_destroy(ways->set);
	literal_table_destroy(ways->table);
	literal_slices_destroy(ways->narrow);
	literal_slices_destroy(ways->wide);
}

/* What is found is there, and nothing that ends before it starts was passed over. */
static void check_hit(const struct literal *literals, size_t count, const char *data, size_t size,
	const char *hit, size_t length, const char *way)
{
	size_t end = first_end(literals, count, data, size);
	cr_assert_eq(hit != NULL, end > 0, "seed %llu: %zu literals in %zu bytes: found %d by %s",
		(unsigned long long)chance_seed(), count, size, hit != NULL, way);
	if (!hit)
		return;
	cr_assert_lt((size_t)(hit - data), end, "seed %llu: one before was missed by %s",
		(unsigned long long)chance_seed(), way);
	bool there = false;
	for (size_t i = 0; i < count; i++)
		there |= literals[i].size == length && hit + length <= data + size &&
			 is_at(&literals[i], hit);
	cr_assert(there, "seed %llu: that is none of them, %s", (unsigned long long)chance_seed(),
		way);
}

static void check_find(const struct ways *ways, const struct literal *literals, size_t count,
	const char *data, size_t size)
{
	size_t length = 0;
	const char *hit = literal_set_find(ways->set, data, size, &length);
	check_hit(literals, count, data, size, hit, length, "set");
	hit = literal_table_find(ways->table, data, size, &length);
	check_hit(literals, count, data, size, hit, length, "table");
	if (!ways->wide)
		return;
	hit = literal_slices_find(ways->wide, data, size, &length);
	check_hit(literals, count, data, size, hit, length, "slices");
	hit = literal_slices_find(ways->narrow, data, size, &length);
	check_hit(literals, count, data, size, hit, length, "slices by 16");
}

static void check_random(size_t count)
{
	static struct literal literals[MOST_LITERALS];
	struct ways ways;
	random_literals(literals, count);
	ways_open(&ways, literals, count);
	for (int i = 0; i < 12; i++) {
		char *data = malloc(MOST_DATA);
		size_t size = random_data(data, literals, count);
		data = realloc(data, size + 1); /* so that a sanitizer sees its end */
		check_find(&ways, literals, count, data, size);
		free(data);
	}
	ways_close(&ways);
	for (size_t i = 0; i < count; i++)
		free((char *)literals[i].data);
}

Test(literal_set, finds_what_looking_at_every_byte_finds)
{
	chance_begin();
	for (int round = 0; round < 1000; round++)
		check_random(
			chance(3) ? 1 + chance(8) : 1 + chance(chance(5) ? 60 : MOST_LITERALS));
}

Test(literal_set, cases_of_letters_only_are_the_same)
{
	const struct literal literal = { "[k\xe1", 3, true };
	size_t length;
	for (int most = LANES_WORD; most <= LANES_WIDE; most++) {
		lanes_limit_for_tests((enum lanes)most);
		struct literal_set *set = literal_set_create(&literal, 1);
		cr_assert(set);
		cr_expect(literal_set_find(set, "xx[K\xe1", 5, &length));
		cr_expect_not(literal_set_find(set, "xx{k\xe1", 5, &length));
		cr_expect_not(literal_set_find(set, "xx[k\xc1", 5, &length));
		literal_set_destroy(set);
	}
}

Test(literal_set, literals_longer_than_a_step_are_found)
{
	char data[2000];
	memset(data, 'a', sizeof(data));
	const struct literal literal = { data, 700, false };
	size_t length;
	for (int most = LANES_WORD; most <= LANES_WIDE; most++) {
		lanes_limit_for_tests((enum lanes)most);
		struct literal_set *set = literal_set_create(&literal, 1);
		cr_assert(set);
		data[900] = 'b';
		cr_expect_eq(literal_set_find(set, data + 300, 1700, &length), data + 901);
		cr_expect_not(literal_set_find(set, data + 901, 699, &length));
		literal_set_destroy(set);
	}
}

/* Slices of bytes that are everywhere are no help: then it is the table. */
Test(literal_set, common_bytes_are_stepped_over)
{
	static const struct literal common[] = { { " ", 1, false }, { "0", 1, false },
		{ "e", 1, false }, { "t", 1, false }, { "a", 1, false } };
	static const struct literal rare[] = { { "ERROR", 5, false }, { "FATAL", 5, false } };
	struct literal_slices *slices = literal_slices_create(common, 5);
	cr_expect(!slices || !literal_slices_pay(slices));
	literal_slices_destroy(slices);
	slices = literal_slices_create(rare, 2);
	cr_expect(!slices || literal_slices_pay(slices));
	literal_slices_destroy(slices);
}
