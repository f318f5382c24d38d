/* Looking for sequences. */

#include "pipeline/search/sequence.h"

#include "pipeline/search/finder.h"
#include "pipeline/search/rarity.h"
#include "pipeline/search/slices.h"

#include <assert.h>
#include <stdlib.h>

struct member {
	struct sequence sequence;
	size_t slice; /* where in it its slice is */
};

struct sequence_set {
	size_t count;
	struct member *members;
	struct finder finder; /* of the only sequence's literal; zeroed: by slices */
	struct slices slices;
};

static bool is_at(const struct sequence *sequence, const char *place)
{
	size_t at = 0;
	while (at < sequence->size && byte_class_has(&sequence->classes[at], place[at]))
		at++;
	return at == sequence->size;
}

/* By slices */

struct look {
	const struct sequence_set *set;
	const char *data, *end;
	size_t *length;
};

/* The sequence whose slice is at the place. */
static const char *compare(const struct look *look, const char *place)
{
	for (size_t i = 0; i < look->set->count; i++) {
		const struct member *member = &look->set->members[i];
		const char *start = place - member->slice;
		if ((size_t)(place - look->data) < member->slice ||
			(size_t)(look->end - start) < member->sequence.size)
			continue;
		if (!is_at(&member->sequence, start))
			continue;
		*look->length = member->sequence.size;
		return start;
	}
	return NULL;
}

static const char *check(const void *context, const char *at, uint64_t mask, int shift)
{
	for (; mask > 0; mask &= mask - 1) {
		const char *found = compare(context, at + (__builtin_ctzll(mask) >> shift));
		if (found)
			return found;
	}
	return NULL;
}

static const char *find_by_slices(
	const struct sequence_set *set, const char *data, size_t size, size_t *length)
{
	struct look look = { set, data, data + size, length };
	if (size < set->slices.bytes)
		return NULL;
	return slices_find(&set->slices, data, size - set->slices.bytes + 1, check, &look);
}

/* By the only one's literal */

static const char *find_by_literal(
	const struct sequence_set *set, const char *data, size_t size, size_t *length)
{
	const struct sequence *sequence = &set->members[0].sequence;
	*length = sequence->size;
	if (size < sequence->size)
		return NULL;
	/* The literal may be where the sequence may. */
	const char *at = data + sequence->literal_at;
	const char *end =
		data + size - (sequence->size - sequence->literal_at) + sequence->literal.size;
	while ((at = finder_find(&set->finder, at, (size_t)(end - at)))) {
		if (is_at(sequence, at - sequence->literal_at))
			return at - sequence->literal_at;
		at++;
	}
	return NULL;
}

const char *sequence_set_find(
	const struct sequence_set *set, const char *data, size_t size, size_t *length)
{
	return set->finder.size > 0 ? find_by_literal(set, data, size, length)
				    : find_by_slices(set, data, size, length);
}

/* Choosing */

static unsigned slice_bytes(const struct sequence_set *set)
{
	size_t bytes = SLICES_MOST_BYTES;
	for (size_t i = 0; i < set->count; i++)
		if (set->members[i].sequence.size < bytes)
			bytes = set->members[i].sequence.size;
	return (unsigned)bytes;
}

/* Where the rarest slice of a sequence is. */
static size_t rarest_slice(
	const struct sequence *sequence, unsigned bytes, const double shares[256])
{
	size_t best = 0;
	double least = 2;
	for (size_t at = 0; at + bytes <= sequence->size; at++) {
		double share = 1;
		for (unsigned i = 0; i < bytes; i++)
			share *= byte_class_share(&sequence->classes[at + i], shares);
		if (share < least) {
			least = share;
			best = at;
		}
	}
	return best;
}

/* The bucket in which candidates grow least. */
static unsigned choose_bucket(const struct slices *slices, const struct byte_class *slice,
	unsigned buckets, const double shares[256])
{
	unsigned best = 0;
	double least = 2;
	for (unsigned bucket = 0; bucket < buckets; bucket++) {
		struct slices with = *slices;
		slices_add(&with, bucket, slice);
		double more =
			slices_share(&with, bucket, shares) - slices_share(slices, bucket, shares);
		if (more < least) {
			least = more;
			best = bucket;
		}
	}
	return best;
}

/* The part of places that are expected to be looked at. */
static double lay_slices(struct sequence_set *set)
{
	double shares[256], share = 0;
	unsigned buckets = set->count <= 8 ? 8 : SLICES_MOST_BUCKETS;
	rarity_shares(shares);
	set->slices.bytes = slice_bytes(set);
	for (size_t i = 0; i < set->count; i++) {
		struct member *member = &set->members[i];
		member->slice = rarest_slice(&member->sequence, set->slices.bytes, shares);
		const struct byte_class *slice = member->sequence.classes + member->slice;
		unsigned bucket = choose_bucket(&set->slices, slice, buckets, shares);
		slices_add(&set->slices, bucket, slice);
	}
	for (unsigned bucket = 0; bucket < buckets; bucket++)
		share += slices_share(&set->slices, bucket, shares);
	slices_settle(&set->slices);
	return share;
}

/* True if the literal is about as rare as the slice: its search is the faster one. */
static bool literal_is_better(const struct sequence *sequence, double share)
{
	double shares[256], literal = 1;
	rarity_shares(shares);
	for (size_t i = 0; i < sequence->literal.size; i++)
		literal *= byte_class_share(&sequence->classes[sequence->literal_at + i], shares);
	return sequence->literal.size > 1 && literal < 4 * share + 0.0001;
}

struct sequence_set *sequence_set_create(const struct sequence *sequences, size_t count)
{
	assert(count > 0 && count <= SEQUENCES_MOST);
	struct sequence_set *set = calloc(1, sizeof(*set));
	if (set)
		set->members = calloc(count, sizeof(*set->members));
	if (!set || !set->members) {
		sequence_set_destroy(set);
		return NULL;
	}
	set->count = count;
	for (size_t i = 0; i < count; i++)
		set->members[i].sequence = sequences[i];
	double share = lay_slices(set);
	if (count == 1 && literal_is_better(&sequences[0], share) &&
		!finder_open(&set->finder, &sequences[0].literal)) {
		sequence_set_destroy(set);
		return NULL;
	}
	return set;
}

void sequence_set_destroy(struct sequence_set *set)
{
	if (!set)
		return;
	finder_close(&set->finder);
	free(set->members);
	free(set);
}

size_t sequence_set_cost(const struct sequence_set *set)
{
	return sizeof(*set) + set->count * sizeof(*set->members) + finder_cost(&set->finder);
}
