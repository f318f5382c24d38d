/* Choosing what to search for. */

#include "pipeline/search/sieve.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum { LONG_ENOUGH = 8 /* bytes: more do not make a literal rarer */ };

/* The literals that a sieve is made of. */
struct choice {
	struct literal *literals;
	size_t count;
};

static bool is_list(const struct term *term)
{
	return term->kind == TERM_ALL || term->kind == TERM_ANY;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t shortest(const struct literal *literals, size_t count)
{
	size_t size = count > 0 ? LONG_ENOUGH : 0;
	for (size_t i = 0; i < count; i++)
		size = smaller(size, literals[i].size);
	return size;
}

/* 0: a pattern requires nothing. */
static size_t shortest_required(const struct term *leaf)
{
	size_t size = LONG_ENOUGH;
	for (size_t i = 0; i < leaf->count; i++) {
		const struct required *required = &leaf->patterns[i].required;
		size = smaller(size, shortest(required->literals, required->count));
	}
	return size;
}

/* How selective it is: longer is rarer, and one is found faster than many. 0: nothing can be searched for. */
static size_t worth(const struct term *term)
{
	if (term->patterns)
		return 4 * shortest_required(term);
	if (term->literals)
		return 4 * shortest(term->literals, term->count) + (term->count == 1 ? 3 : 1);
	size_t best = 0, worst = SIZE_MAX;
	for (size_t i = 0; i < term->count; i++) {
		size_t child = worth(&term->children[i]);
		best = child > best ? child : best;
		worst = smaller(worst, child);
	}
	return term->kind == TERM_ALL ? best : term->kind == TERM_ANY ? worst : 0;
}

static const struct term *worthiest(const struct term *all)
{
	const struct term *best = &all->children[0];
	for (size_t i = 1; i < all->count; i++)
		if (worth(&all->children[i]) > worth(best))
			best = &all->children[i];
	return best;
}

/* All literals that the leaves of a term have or require. */
static size_t count_literals(const struct term *term)
{
	size_t count = term->literals ? term->count : 0;
	for (size_t i = 0; term->children && i < term->count; i++)
		count += count_literals(&term->children[i]);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		count += term->patterns[i].required.count;
	return count;
}

static void add(struct choice *choice, const struct literal *literals, size_t count)
{
	for (size_t i = 0; i < count; i++)
		choice->literals[choice->count++] = literals[i];
}

static void choose(struct choice *choice, const struct term *term)
{
	if (term->kind == TERM_ALL) {
		choose(choice, worthiest(term));
		return;
	}
	if (term->literals)
		add(choice, term->literals, term->count);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		add(choice, term->patterns[i].required.literals, term->patterns[i].required.count);
	for (size_t i = 0; is_list(term) && i < term->count; i++)
		choose(choice, &term->children[i]);
}

static bool build(struct sieve *sieve, const struct choice *choice)
{
	assert(choice->count > 0);
	sieve->count = choice->count;
	if (choice->count == 1)
		return finder_open(&sieve->finder, &choice->literals[0]);
	sieve->set = literal_set_create(choice->literals, choice->count);
	return sieve->set != NULL;
}

bool sieve_open(struct sieve *sieve, const struct term *term)
{
	*sieve = (struct sieve){ 0 };
	if (worth(term) == 0)
		return true;
	while (term->kind == TERM_ALL)
		term = worthiest(term);
	if (term->set) {
		*sieve = (struct sieve){ .count = term->count, .set = term->set, .borrowed = true };
		return true;
	}
	size_t count = count_literals(term);
	assert(count > 0);
	struct choice choice = { .literals = calloc(count, sizeof(struct literal)) };
	if (!choice.literals)
		return false;
	choose(&choice, term);
	bool built = build(sieve, &choice);
	free(choice.literals);
	return built;
}

void sieve_close(struct sieve *sieve)
{
	if (!sieve->borrowed)
		literal_set_destroy(sieve->set);
	finder_close(&sieve->finder);
	*sieve = (struct sieve){ 0 };
}

size_t sieve_cost(const struct sieve *sieve)
{
	if (sieve->borrowed)
		return 0;
	return sieve->set ? literal_set_cost(sieve->set) : finder_cost(&sieve->finder);
}

const char *sieve_find(const struct sieve *sieve, const char *data, size_t size, size_t *length)
{
	if (sieve->set)
		return literal_set_find(sieve->set, data, size, length);
	*length = sieve->finder.size;
	return finder_find(&sieve->finder, data, size);
}
