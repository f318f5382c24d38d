/* The tables, and stepping through data with them. */

#include "pipeline/search/literal_table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum { PLACES = 8192, MOST_STEP = 255, NONE = 0 };

/* A literal, and which slice of it is looked for. */
struct member {
	struct literal literal;
	size_t slice;  /* where the slice starts in it */
	uint32_t next; /* whose slice ends alike: its number from 1; NONE: no more */
};

struct literal_table {
	size_t count;
	size_t slice; /* the size of all slices */
	bool pairs;   /* slices have two bytes or more */
	struct member *members;
	uint32_t first[PLACES]; /* the members whose slice ends so: a number from 1 */
	uint8_t step[PLACES];   /* how far on the next slice may end */
};

static size_t place(const struct literal_table *table, char before, char last)
{
	unsigned high = table->pairs ? (unsigned char)before : 0;
	return (high << 5 ^ (unsigned char)last) % PLACES;
}

static char other_case(const struct literal *literal, char byte)
{
	bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
	return literal->fold && letter ? (char)(byte ^ 0x20) : byte;
}

/* The places of the byte at `at` of a literal and the one before it, in every case that counts as the same. */
static void places_of(const struct literal_table *table, const struct literal *literal, size_t at,
	size_t places[4])
{
	char last = literal->data[at], before = table->pairs ? literal->data[at - 1] : 0;
	places[0] = place(table, before, last);
	places[1] = place(table, other_case(literal, before), last);
	places[2] = place(table, before, other_case(literal, last));
	places[3] = place(table, other_case(literal, before), other_case(literal, last));
}

/* The slice whose end has the fewest members yet. */
static size_t choose_slice(
	const struct literal_table *table, const struct literal *literal, const uint32_t *load)
{
	size_t best = 0;
	uint32_t least = UINT32_MAX;
	for (size_t slice = 0; slice + table->slice <= literal->size; slice++) {
		size_t places[4];
		places_of(table, literal, slice + table->slice - 1, places);
		if (load[places[0]] < least) {
			least = load[places[0]];
			best = slice;
		}
	}
	return best;
}

static void lower_steps(struct literal_table *table, const struct member *member)
{
	size_t last = table->slice - 1;
	for (size_t i = table->pairs; i <= last; i++) {
		size_t places[4];
		places_of(table, &member->literal, member->slice + i, places);
		for (int j = 0; j < 4; j++)
			if (table->step[places[j]] > last - i)
				table->step[places[j]] = (uint8_t)(last - i);
	}
}

/* Puts the member where its slice's end is looked up. Where two cases share a place it is there once. */
static void add_ends(struct literal_table *table, const struct literal *literal, size_t slice,
	uint32_t *load, uint32_t *used)
{
	size_t places[4];
	places_of(table, literal, slice + table->slice - 1, places);
	for (int i = 0; i < 4; i++) {
		bool there = false;
		for (int j = 0; j < i; j++)
			there |= places[j] == places[i];
		if (there)
			continue;
		struct member *member = &table->members[(*used)++];
		*member = (struct member){ *literal, slice, table->first[places[i]] };
		table->first[places[i]] = *used;
		load[places[i]]++;
	}
	lower_steps(table, &table->members[*used - 1]);
}

static size_t shortest(const struct literal *literals, size_t count)
{
	size_t size = literals[0].size;
	for (size_t i = 1; i < count; i++)
		size = literals[i].size < size ? literals[i].size : size;
	return size;
}

static void fill(
	struct literal_table *table, const struct literal *literals, size_t count, uint32_t *load)
{
	size_t step = table->pairs ? table->slice - 1 : 1;
	for (size_t i = 0; i < PLACES; i++)
		table->step[i] = (uint8_t)(step < MOST_STEP ? step : MOST_STEP);
	uint32_t used = 0;
	for (size_t i = 0; i < count; i++)
		add_ends(table, &literals[i], choose_slice(table, &literals[i], load), load, &used);
	table->count = used;
}

struct literal_table *literal_table_create(const struct literal *literals, size_t count)
{
	assert(count > 0 && count < UINT32_MAX / 4);
	struct literal_table *table = calloc(1, sizeof(*table));
	uint32_t *load = calloc(PLACES, sizeof(*load));
	if (table)
		table->members = calloc(count * 4, sizeof(*table->members));
	if (!table || !load || !table->members) {
		literal_table_destroy(table);
		free(load);
		return NULL;
	}
	table->slice = shortest(literals, count);
	table->pairs = table->slice > 1;
	fill(table, literals, count, load);
	free(load);
	return table;
}

void literal_table_destroy(struct literal_table *table)
{
	if (table)
		free(table->members);
	free(table);
}

size_t literal_table_cost(const struct literal_table *table)
{
	return sizeof(*table) + table->count * sizeof(*table->members);
}

/* The member that is there, given that its slice ends with byte `at`. */
static const struct member *member_at(
	const struct literal_table *table, size_t where, const char *data, size_t size, size_t at)
{
	for (uint32_t number = table->first[where]; number != NONE;) {
		const struct member *member = &table->members[number - 1];
		size_t before = member->slice + table->slice - 1;
		if (before <= at &&
			literal_starts(&member->literal, data + at - before, size - at + before))
			return member;
		number = member->next;
	}
	return NULL;
}

const char *literal_table_find(
	const struct literal_table *table, const char *data, size_t size, size_t *length)
{
	size_t at = table->slice - 1;
	while (at < size) {
		size_t where = place(table, table->pairs ? data[at - 1] : 0, data[at]);
		if (table->step[where] > 0) {
			at += table->step[where];
			continue;
		}
		const struct member *member = member_at(table, where, data, size, at);
		if (member) {
			*length = member->literal.size;
			return data + at - member->slice - (table->slice - 1);
		}
		at++;
	}
	return NULL;
}
