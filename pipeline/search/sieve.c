/* Choosing what to search for. */

#include "pipeline/search/sieve.h"

#include "pipeline/search/rarity.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

/* Expected parts of all places. */
static const double nothing = 2;       /* there is nothing to search for */
static const double too_common = 0.05; /* each record would be looked at */
static const double each = 0.000001;   /* so much rarer must be what is several */
static const double vague = 0.00001;   /* or is not plain bytes */

/* What a sieve is made of. */
struct choice {
	struct sequence *sequences;
	size_t count;
	struct byte_class *classes; /* of those that were literals */
	size_t used;
};

static bool is_list(const struct term *term)
{
	return term->kind == TERM_ALL || term->kind == TERM_ANY;
}

/* How common it is */

static double leaf_share(const struct term *leaf, const double shares[256])
{
	double share = 0;
	for (size_t i = 0; leaf->literals && i < leaf->count; i++)
		share += literal_share(&leaf->literals[i], shares) + each;
	for (size_t i = 0; leaf->patterns && i < leaf->count; i++) {
		const struct required *required = &leaf->patterns[i].required;
		if (required->count == 0)
			return nothing;
		share += required->share + (double)required->count * each;
		for (size_t j = 0; j < required->count; j++)
			share += required->sequences[j].plain ? 0 : vague;
	}
	return share;
}

/* The smaller, the more selective. */
static double share_of(const struct term *term, const double shares[256])
{
	if (!is_list(term))
		return term->kind == TERM_NOT ? nothing : leaf_share(term, shares);
	double least = nothing, sum = 0;
	for (size_t i = 0; i < term->count; i++) {
		double child = share_of(&term->children[i], shares);
		least = child < least ? child : least;
		sum += child;
	}
	return term->kind == TERM_ALL ? least : sum;
}

static const struct term *rarest(const struct term *all, const double shares[256])
{
	const struct term *best = &all->children[0];
	for (size_t i = 1; i < all->count; i++)
		if (share_of(&all->children[i], shares) < share_of(best, shares))
			best = &all->children[i];
	return best;
}

/* True if one of what is searched for is enough to satisfy it. */
static bool is_enough(const struct term *term)
{
	bool enough =
		term->kind == TERM_ANY || term->kind == TERM_CONTAINS || term->kind == TERM_REGEX;
	for (size_t i = 0; term->kind == TERM_ANY && i < term->count; i++)
		enough = enough && is_enough(&term->children[i]);
	for (size_t i = 0; term->kind == TERM_REGEX && i < term->count; i++)
		enough = enough && term->patterns[i].required.enough;
	return enough;
}

/* Choosing */

/* What all leaves of a term have or require, and how many bytes the literals among it are. */
static size_t count_all(const struct term *term, size_t *bytes)
{
	size_t count = term->literals ? term->count : 0;
	for (size_t i = 0; i < count; i++)
		*bytes += term->literals[i].size;
	for (size_t i = 0; term->children && i < term->count; i++)
		count += count_all(&term->children[i], bytes);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		count += term->patterns[i].required.count;
	return count;
}

/* A literal as a sequence. */
static void add_literal(struct choice *choice, const struct literal *literal)
{
	struct byte_class *classes = choice->classes + choice->used;
	for (size_t i = 0; i < literal->size; i++) {
		byte_class_add(&classes[i], (unsigned char)literal->data[i]);
		if (literal->fold)
			byte_class_fold(&classes[i]);
	}
	choice->used += literal->size;
	choice->sequences[choice->count++] = (struct sequence){
		.classes = classes, .size = literal->size, .literal = *literal, .plain = true
	};
}

static void add_required(struct choice *choice, const struct required *required)
{
	for (size_t i = 0; i < required->count; i++)
		choice->sequences[choice->count++] = required->sequences[i];
}

static void choose(struct choice *choice, const struct term *term, const double shares[256])
{
	if (term->kind == TERM_ALL) {
		choose(choice, rarest(term, shares), shares);
		return;
	}
	for (size_t i = 0; term->literals && i < term->count; i++)
		add_literal(choice, &term->literals[i]);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		add_required(choice, &term->patterns[i].required);
	for (size_t i = 0; is_list(term) && i < term->count; i++)
		choose(choice, &term->children[i], shares);
}

/* The smallest literal that is all of a sequence, or, not `whole`, a part of it; 0: one has none. */
static size_t smallest_literal(const struct choice *choice, bool whole)
{
	size_t smallest = SIZE_MAX;
	for (size_t i = 0; i < choice->count; i++) {
		const struct sequence *sequence = &choice->sequences[i];
		size_t size = whole && !sequence->plain ? 0 : sequence->literal.size;
		smallest = size < smallest ? size : smallest;
	}
	return smallest;
}

/* Building */

static bool build_literals(struct sieve *sieve, const struct choice *choice)
{
	sieve->count = choice->count;
	if (choice->count == 1)
		return finder_open(&sieve->finder, &choice->sequences[0].literal);
	struct literal *literals = calloc(choice->count, sizeof(*literals));
	if (!literals)
		return false;
	for (size_t i = 0; i < choice->count; i++)
		literals[i] = choice->sequences[i].literal;
	sieve->set = literal_set_create(literals, choice->count);
	free(literals);
	return sieve->set != NULL;
}

/* The sieve keeps the classes. */
static bool build_sequences(struct sieve *sieve, struct choice *choice)
{
	sieve->count = choice->count;
	sieve->sequences = sequence_set_create(choice->sequences, choice->count);
	sieve->classes = choice->classes;
	choice->classes = NULL;
	return sieve->sequences != NULL;
}

/* Plain bytes if all are; of many that are not, the plain bytes in them. */
static bool build(struct sieve *sieve, struct choice *choice)
{
	assert(choice->count > 0);
	if (smallest_literal(choice, true) > 0)
		return build_literals(sieve, choice);
	if (choice->count <= SEQUENCES_MOST)
		return build_sequences(sieve, choice);
	sieve->enough = false;
	return smallest_literal(choice, false) < 2 || build_literals(sieve, choice);
}

static bool choose_and_build(struct sieve *sieve, const struct term *term, const double shares[256])
{
	size_t bytes = 0, count = count_all(term, &bytes);
	struct choice choice = { .sequences = calloc(count + 1, sizeof(*choice.sequences)),
		.classes = calloc(bytes + 1, sizeof(*choice.classes)) };
	bool built = choice.sequences && choice.classes;
	if (built) {
		choose(&choice, term, shares);
		built = build(sieve, &choice);
	}
	free(choice.sequences);
	free(choice.classes);
	return built;
}

bool sieve_open(struct sieve *sieve, const struct term *term)
{
	double shares[256];
	rarity_shares(shares);
	double share = share_of(term, shares);
	*sieve = (struct sieve){ .enough = is_enough(term) };
	if (share >= nothing || (share > too_common && !sieve->enough)) {
		sieve->enough = false;
		return true;
	}
	while (term->kind == TERM_ALL)
		term = rarest(term, shares);
	if (!term->set)
		return choose_and_build(sieve, term, shares);
	sieve->count = term->count;
	sieve->set = term->set;
	sieve->borrowed = true;
	return true;
}

void sieve_close(struct sieve *sieve)
{
	if (!sieve->borrowed)
		literal_set_destroy(sieve->set);
	sequence_set_destroy(sieve->sequences);
	finder_close(&sieve->finder);
	free(sieve->classes);
	*sieve = (struct sieve){ 0 };
}

size_t sieve_cost(const struct sieve *sieve)
{
	if (sieve->sequences)
		return sequence_set_cost(sieve->sequences);
	if (sieve->borrowed)
		return 0;
	return sieve->set ? literal_set_cost(sieve->set) : finder_cost(&sieve->finder);
}

const char *sieve_find(const struct sieve *sieve, const char *data, size_t size, size_t *length)
{
	if (sieve->sequences)
		return sequence_set_find(sieve->sequences, data, size, length);
	if (sieve->set)
		return literal_set_find(sieve->set, data, size, length);
	*length = sieve->finder.size;
	return finder_find(&sieve->finder, data, size);
}
