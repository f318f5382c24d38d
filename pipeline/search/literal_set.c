/* The tables of a set, and stepping through data with them. */

#include "pipeline/search/literal_set.h"

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

struct literal_set {
	size_t count;
	size_t slice; /* the size of all slices */
	bool pairs;   /* slices have two bytes or more */
	struct member *members;
	uint32_t first[PLACES]; /* the members whose slice ends so: a number from 1 */
	uint8_t step[PLACES];   /* how far on the next slice may end */
};

static size_t place(const struct literal_set *set, char before, char last)
{
	unsigned high = set->pairs ? (unsigned char)before : 0;
	return (high << 5 ^ (unsigned char)last) % PLACES;
}

static char other_case(const struct literal *literal, char byte)
{
	bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
	return literal->fold && letter ? (char)(byte ^ 0x20) : byte;
}

/* The places of the byte at `at` of a literal and the one before it, in every case that counts as the same. */
static void places_of(
	const struct literal_set *set, const struct literal *literal, size_t at, size_t places[4])
{
	char last = literal->data[at], before = set->pairs ? literal->data[at - 1] : 0;
	places[0] = place(set, before, last);
	places[1] = place(set, other_case(literal, before), last);
	places[2] = place(set, before, other_case(literal, last));
	places[3] = place(set, other_case(literal, before), other_case(literal, last));
}

/* The slice whose end has the fewest members yet. */
static size_t choose_slice(
	const struct literal_set *set, const struct literal *literal, const uint32_t *load)
{
	size_t best = 0;
	uint32_t least = UINT32_MAX;
	for (size_t slice = 0; slice + set->slice <= literal->size; slice++) {
		size_t places[4];
		places_of(set, literal, slice + set->slice - 1, places);
		if (load[places[0]] < least) {
			least = load[places[0]];
			best = slice;
		}
	}
	return best;
}

static void lower_steps(struct literal_set *set, const struct member *member)
{
	size_t last = set->slice - 1;
	for (size_t i = set->pairs; i <= last; i++) {
		size_t places[4];
		places_of(set, &member->literal, member->slice + i, places);
		for (int j = 0; j < 4; j++)
			if (set->step[places[j]] > last - i)
				set->step[places[j]] = (uint8_t)(last - i);
	}
}

/* Puts the member where its slice's end is looked up. Where two cases share a place it is there once. */
static void add_ends(struct literal_set *set, const struct literal *literal, size_t slice,
	uint32_t *load, uint32_t *used)
{
	size_t places[4];
	places_of(set, literal, slice + set->slice - 1, places);
	for (int i = 0; i < 4; i++) {
		bool there = false;
		for (int j = 0; j < i; j++)
			there |= places[j] == places[i];
		if (there)
			continue;
		struct member *member = &set->members[(*used)++];
		*member = (struct member){ *literal, slice, set->first[places[i]] };
		set->first[places[i]] = *used;
		load[places[i]]++;
	}
	lower_steps(set, &set->members[*used - 1]);
}

static size_t shortest(const struct literal *literals, size_t count)
{
	size_t size = literals[0].size;
	for (size_t i = 1; i < count; i++)
		size = literals[i].size < size ? literals[i].size : size;
	return size;
}

static void fill(
	struct literal_set *set, const struct literal *literals, size_t count, uint32_t *load)
{
	size_t step = set->pairs ? set->slice - 1 : 1;
	for (size_t i = 0; i < PLACES; i++)
		set->step[i] = (uint8_t)(step < MOST_STEP ? step : MOST_STEP);
	uint32_t used = 0;
	for (size_t i = 0; i < count; i++)
		add_ends(set, &literals[i], choose_slice(set, &literals[i], load), load, &used);
	set->count = used;
}

struct literal_set *literal_set_create(const struct literal *literals, size_t count)
{
	assert(count > 0 && count < UINT32_MAX / 4);
	struct literal_set *set = calloc(1, sizeof(*set));
	uint32_t *load = calloc(PLACES, sizeof(*load));
	if (set)
		set->members = calloc(count * 4, sizeof(*set->members));
	if (!set || !load || !set->members) {
		literal_set_destroy(set);
		free(load);
		return NULL;
	}
	set->slice = shortest(literals, count);
	set->pairs = set->slice > 1;
	fill(set, literals, count, load);
	free(load);
	return set;
}

void literal_set_destroy(struct literal_set *set)
{
	if (set)
		free(set->members);
	free(set);
}

size_t literal_set_cost(const struct literal_set *set)
{
	return sizeof(*set) + set->count * sizeof(*set->members);
}

/* The member that is there, given that its slice ends with byte `at`. */
static const struct member *member_at(
	const struct literal_set *set, size_t where, const char *data, size_t size, size_t at)
{
	for (uint32_t number = set->first[where]; number != NONE;) {
		const struct member *member = &set->members[number - 1];
		size_t before = member->slice + set->slice - 1;
		if (before <= at &&
			literal_starts(&member->literal, data + at - before, size - at + before))
			return member;
		number = member->next;
	}
	return NULL;
}

const char *literal_set_find(
	const struct literal_set *set, const char *data, size_t size, size_t *length)
{
	size_t at = set->slice - 1;
	while (at < size) {
		size_t where = place(set, set->pairs ? data[at - 1] : 0, data[at]);
		if (set->step[where] > 0) {
			at += set->step[where];
			continue;
		}
		const struct member *member = member_at(set, where, data, size, at);
		if (member) {
			*length = member->literal.size;
			return data + at - member->slice - (set->slice - 1);
		}
		at++;
	}
	return NULL;
}
