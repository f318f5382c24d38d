/* Choosing slices and buckets, looking candidates up, and comparing. */

#include "pipeline/search/literal_slices.h"

#include "pipeline/search/rarity.h"
#include "pipeline/search/slices.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	MOST_LITERALS = 4000,
	MOST_TRIED = 4,   /* slices of a literal */
	ROUNDS = 3,       /* of laying each literal anew, */
	MOST_ANEW = 500,  /* where there are no more of them */
	PLACES_EACH = 16, /* for a literal in the hash table */
	NONE = 0
};

/* A literal, its slice, and where that lies. */
struct member {
	struct literal literal;
	size_t slice; /* where it starts in the literal */
	unsigned bucket;
	uint32_t next; /* that has the same place in the hash table: its number from 1 */
};

struct literal_slices {
	struct slices slices;
	size_t count;
	struct member *members;
	uint32_t *first; /* by the hash of a slice: a member's number from 1 */
	unsigned shift;  /* 32 - the binary digits of a hash */
	uint32_t fold;   /* 0x20 over each byte of a slice, if cases of letters are the same */
	double share;    /* of candidates */
	double shares[256];
};

/* Choosing */

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* The classes of a literal's bytes from `at` on. */
static void classes_of(const struct literal *literal, size_t at, unsigned bytes,
	struct byte_class slice[SLICES_MOST_BYTES])
{
	for (unsigned i = 0; i < bytes; i++) {
		char byte = literal->data[at + i];
		slice[i] = (struct byte_class){ 0 };
		byte_class_add(&slice[i], (unsigned char)byte);
		if (literal->fold && is_letter(byte))
			byte_class_add(&slice[i], (unsigned char)(byte ^ 0x20));
	}
}

static double share_of(const struct literal_slices *set, const struct literal *literal, size_t at)
{
	struct byte_class slice[SLICES_MOST_BYTES];
	double share = 1;
	classes_of(literal, at, set->slices.bytes, slice);
	for (unsigned i = 0; i < set->slices.bytes; i++)
		share *= byte_class_share(&slice[i], set->shares);
	return share;
}

/* The starts of a literal's rarest slices, the rarest first; how many. */
static unsigned rarest_slices(
	const struct literal_slices *set, const struct literal *literal, size_t starts[MOST_TRIED])
{
	double shares[MOST_TRIED + 1];
	unsigned count = 0;
	for (size_t at = 0; at + set->slices.bytes <= literal->size; at++) {
		double share = share_of(set, literal, at);
		unsigned place = count < MOST_TRIED ? count : MOST_TRIED;
		for (; place > 0 && share < shares[place - 1]; place--) {
			shares[place] = shares[place - 1];
			if (place < MOST_TRIED)
				starts[place] = starts[place - 1];
		}
		shares[place] = share;
		if (place < MOST_TRIED)
			starts[place] = at;
		count += count < MOST_TRIED;
	}
	return count;
}

static void add(struct slices *slices, unsigned bucket, const struct literal *literal, size_t at)
{
	struct byte_class slice[SLICES_MOST_BYTES];
	classes_of(literal, at, slices->bytes, slice);
	slices_add(slices, bucket, slice);
}

/* Lays a literal where candidates grow least. */
static void lay(struct literal_slices *set, struct member *member, unsigned buckets)
{
	size_t starts[MOST_TRIED];
	unsigned tried = rarest_slices(set, &member->literal, starts);
	double least = 2;
	for (unsigned bucket = 0; bucket < buckets; bucket++) {
		double before = slices_share(&set->slices, bucket, set->shares);
		for (unsigned i = 0; i < tried; i++) {
			struct slices with = set->slices;
			add(&with, bucket, &member->literal, starts[i]);
			double more = slices_share(&with, bucket, set->shares) - before;
			if (more < least) {
				least = more;
				member->bucket = bucket;
				member->slice = starts[i];
			}
		}
	}
	add(&set->slices, member->bucket, &member->literal, member->slice);
}

/* Takes a literal out of its bucket. */
static void lift(struct literal_slices *set, size_t number)
{
	unsigned bucket = set->members[number].bucket;
	slices_clear(&set->slices, bucket);
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];
		if (i != number && member->bucket == bucket)
			add(&set->slices, bucket, &member->literal, member->slice);
	}
}

/* One after the other, and then each again, given where the others lie. */
static void lay_all(struct literal_slices *set)
{
	unsigned buckets = set->count <= 8 ? 8 : SLICES_MOST_BUCKETS;
	rarity_shares(set->shares);
	for (size_t i = 0; i < set->count; i++)
		lay(set, &set->members[i], buckets);
	for (unsigned round = 1; round < ROUNDS && set->count <= MOST_ANEW; round++)
		for (size_t i = 0; i < set->count; i++) {
			lift(set, i);
			lay(set, &set->members[i], buckets);
		}
	for (unsigned bucket = 0; bucket < buckets; bucket++)
		set->share += slices_share(&set->slices, bucket, set->shares);
	slices_settle(&set->slices);
}

/* Looking up */

/* The bytes of a slice as a number. */
static inline uint32_t number_of(const char *slice, unsigned bytes)
{
	const unsigned char *at = (const unsigned char *)slice;
	uint32_t number = 0;
	for (unsigned i = 0; i < bytes; i++)
		number |= (uint32_t)at[i] << 8 * i;
	return number;
}

static inline uint32_t hash(const struct literal_slices *set, uint32_t number)
{
	return (number | set->fold) * 0x9e3779b1u >> set->shift;
}

static void fill_table(struct literal_slices *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct member *member = &set->members[i];
		const char *slice = member->literal.data + member->slice;
		uint32_t *first = &set->first[hash(set, number_of(slice, set->slices.bytes))];
		member->next = *first;
		*first = (uint32_t)i + 1;
	}
}

/* What is looked at, for the checks. */
struct look {
	const struct literal_slices *set;
	const char *data, *end;
	size_t *length;
};

static const char *compare(const struct look *look, uint32_t number, const char *place)
{
	for (; number != NONE; number = look->set->members[number - 1].next) {
		const struct member *member = &look->set->members[number - 1];
		if ((size_t)(place - look->data) < member->slice)
			continue;
		const char *start = place - member->slice;
		if (!literal_starts(&member->literal, start, (size_t)(look->end - start)))
			continue;
		*look->length = member->literal.size;
		return start;
	}
	return NULL;
}

static inline __attribute__((always_inline)) const char *check(
	const struct look *look, const char *at, uint64_t mask, int shift, unsigned bytes)
{
	for (; mask > 0; mask &= mask - 1) {
		const char *place = at + (__builtin_ctzll(mask) >> shift);
		uint32_t number = look->set->first[hash(look->set, number_of(place, bytes))];
		const char *found = number == NONE ? NULL : compare(look, number, place);
		if (found)
			return found;
	}
	return NULL;
}

static const char *check_1(const void *context, const char *at, uint64_t mask, int shift)
{
	return check(context, at, mask, shift, 1);
}

static const char *check_2(const void *context, const char *at, uint64_t mask, int shift)
{
	return check(context, at, mask, shift, 2);
}

static const char *check_3(const void *context, const char *at, uint64_t mask, int shift)
{
	return check(context, at, mask, shift, 3);
}

static const char *check_4(const void *context, const char *at, uint64_t mask, int shift)
{
	return check(context, at, mask, shift, 4);
}

const char *literal_slices_find(
	const struct literal_slices *set, const char *data, size_t size, size_t *length)
{
	static slices_check *const checks[] = { check_1, check_2, check_3, check_4 };
	struct look look = { set, data, data + size, length };
	unsigned bytes = set->slices.bytes;
	if (size < bytes)
		return NULL;
	return slices_find(&set->slices, data, size - bytes + 1, checks[bytes - 1], &look);
}

/* Life */

static unsigned slice_bytes(const struct literal *literals, size_t count)
{
	size_t bytes = SLICES_MOST_BYTES;
	for (size_t i = 0; i < count; i++)
		bytes = literals[i].size < bytes ? literals[i].size : bytes;
	return (unsigned)bytes;
}

static bool tables_open(struct literal_slices *set, size_t count)
{
	unsigned digits = 4;
	while ((size_t)1 << digits < count * PLACES_EACH)
		digits++;
	set->count = count;
	set->shift = 32 - digits;
	set->members = calloc(count, sizeof(*set->members));
	set->first = calloc((size_t)1 << digits, sizeof(*set->first));
	return set->members && set->first;
}

struct literal_slices *literal_slices_create(const struct literal *literals, size_t count)
{
	assert(count > 0);
	bool possible = slices_are_fast() && count <= MOST_LITERALS;
	struct literal_slices *set = possible ? calloc(1, sizeof(*set)) : NULL;
	if (!set || !tables_open(set, count)) {
		literal_slices_destroy(set);
		return NULL;
	}
	set->slices.bytes = slice_bytes(literals, count);
	for (size_t i = 0; i < count; i++) {
		set->members[i].literal = literals[i];
		set->fold |= literals[i].fold ? 0x20202020u : 0;
	}
	lay_all(set);
	fill_table(set);
	return set;
}

void literal_slices_destroy(struct literal_slices *set)
{
	if (!set)
		return;
	free(set->members);
	free(set->first);
	free(set);
}

bool literal_slices_pay(const struct literal_slices *set)
{
	const double most = 0.2; /* about where comparing costs what a table does */
	return set->share < most;
}

size_t literal_slices_cost(const struct literal_slices *set)
{
	return sizeof(*set) + set->count * sizeof(*set->members) +
	       ((size_t)1 << (32 - set->shift)) * sizeof(*set->first);
}
