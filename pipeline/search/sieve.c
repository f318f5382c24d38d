/* Choosing what to search for. */

#include "pipeline/search/sieve.h"

#include "pipeline/search/relax.h"

#include <stdlib.h>

#define LONG_ENOUGH 8 /* bytes: more do not make a literal rarer */

/* The leaves that a sieve is made of. */
struct choice {
	struct term **leaves;
	size_t count, items;
	bool patterns;
};

static bool is_list(const struct term *term)
{
	return term->kind == TERM_ALL || term->kind == TERM_ANY;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t shortest(const struct term *leaf)
{
	size_t size = LONG_ENOUGH;
	for (size_t i = 0; i < leaf->count; i++)
		size = smaller(
			size, leaf->literals ? leaf->literals[i].size : leaf->patterns[i].shortest);
	return size;
}

static bool all_relaxed(const struct term *leaf)
{
	for (size_t i = 0; i < leaf->count; i++)
		if (!leaf->patterns[i].relaxed)
			return false;
	return true;
}

static bool is_plain(const struct term *leaf)
{
	return leaf->literals && leaf->count == 1 && !leaf->literals[0].fold;
}

/* How selective, and how fast: longer is rarer; a literal beats a pattern, one beats many. 0: it can't be searched. */
static unsigned leaf_worth(const struct term *leaf, const struct framing *framing)
{
	unsigned rarity = 4 * (unsigned)shortest(leaf);
	if (is_plain(leaf))
		return rarity + 8;
	if (!scanner_available())
		return 0;
	if (leaf->literals)
		return rarity + 6;
	return framing->newline && all_relaxed(leaf) ? rarity + 1 : 0;
}

static unsigned worth(const struct term *term, const struct framing *framing)
{
	if (term->kind == TERM_NOT)
		return 0;
	if (!is_list(term))
		return leaf_worth(term, framing);
	unsigned best = 0, worst = scanner_available() ? ~0u : 0;
	for (size_t i = 0; i < term->count; i++) {
		unsigned child = worth(&term->children[i], framing);
		best = child > best ? child : best;
		worst = child < worst ? child : worst;
	}
	return term->kind == TERM_ALL ? best : worst;
}

static struct term *worthiest(struct term *all, const struct framing *framing)
{
	struct term *best = &all->children[0];
	for (size_t i = 1; i < all->count; i++)
		if (worth(&all->children[i], framing) > worth(best, framing))
			best = &all->children[i];
	return best;
}

static size_t count_leaves(const struct term *term)
{
	size_t count = 0;
	if (!term->children)
		return 1;
	for (size_t i = 0; i < term->count; i++)
		count += count_leaves(&term->children[i]);
	return count;
}

static void choose(struct choice *choice, struct term *term, const struct framing *framing)
{
	if (term->kind == TERM_ALL) {
		choose(choice, worthiest(term, framing), framing);
		return;
	}
	for (size_t i = 0; term->kind == TERM_ANY && i < term->count; i++)
		choose(choice, &term->children[i], framing);
	if (is_list(term))
		return;
	choice->leaves[choice->count++] = term;
	choice->items += term->count;
	choice->patterns |= term->patterns != NULL;
}

static struct scanner *scan_literals(const struct choice *choice)
{
	struct literal *literals = calloc(choice->items, sizeof(*literals));
	size_t count = 0;
	for (size_t i = 0; literals && i < choice->count; i++)
		for (size_t j = 0; j < choice->leaves[i]->count; j++)
			literals[count++] = choice->leaves[i]->literals[j];
	struct scanner *scanner = literals ? scanner_of_literals(literals, count) : NULL;
	free(literals);
	return scanner;
}

static struct expression expression_of(const struct term *leaf, size_t index)
{
	if (leaf->patterns)
		return (struct expression){ leaf->patterns[index].relaxed,
			leaf->patterns[index].fold };
	const struct literal *literal = &leaf->literals[index];
	return (struct expression){ relax_literal(literal->data, literal->size), literal->fold };
}

static void free_literals(const struct choice *choice, struct expression *expressions)
{
	size_t count = 0;
	for (size_t i = 0; i < choice->count; i++)
		for (size_t j = 0; j < choice->leaves[i]->count; j++, count++)
			if (choice->leaves[i]->literals)
				free((char *)expressions[count].text);
}

static struct scanner *scan_expressions(const struct choice *choice)
{
	struct expression *expressions = calloc(choice->items, sizeof(*expressions));
	if (!expressions)
		return NULL;
	size_t count = 0;
	bool made = true;
	for (size_t i = 0; i < choice->count; i++)
		for (size_t j = 0; j < choice->leaves[i]->count; j++, count++) {
			expressions[count] = expression_of(choice->leaves[i], j);
			made = made && expressions[count].text;
		}
	struct scanner *scanner = made ? scanner_of_expressions(expressions, count) : NULL;
	free_literals(choice, expressions);
	free(expressions);
	return scanner;
}

/* vectorscan refused: without its patterns another choice may do. */
static void forget_patterns(const struct choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		for (size_t j = 0; choice->leaves[i]->patterns && j < choice->leaves[i]->count;
			j++) {
			free(choice->leaves[i]->patterns[j].relaxed);
			choice->leaves[i]->patterns[j].relaxed = NULL;
		}
}

static void build(struct sieve *sieve, const struct choice *choice)
{
	const struct term *first = choice->leaves[0];
	*sieve = (struct sieve){ .count = choice->items, .patterns = choice->patterns };
	if (choice->count == 1 && is_plain(first)) {
		sieve->literal = &first->literals[0];
	} else if (choice->count == 1 && first->scanner) {
		sieve->scanner = first->scanner;
		sieve->borrowed = true;
	} else {
		sieve->scanner =
			choice->patterns ? scan_expressions(choice) : scan_literals(choice);
	}
}

bool sieve_open(struct sieve *sieve, struct term *term, const struct framing *framing)
{
	*sieve = (struct sieve){ 0 };
	struct choice choice = { .leaves = calloc(count_leaves(term), sizeof(*choice.leaves)) };
	if (!choice.leaves)
		return false;
	bool again = true;
	while (again && worth(term, framing) > 0) {
		choice.count = choice.items = 0;
		choice.patterns = false;
		choose(&choice, term, framing);
		build(sieve, &choice);
		again = !sieve->literal && !sieve->scanner && choice.patterns;
		if (again)
			forget_patterns(&choice);
	}
	free(choice.leaves);
	return true;
}

void sieve_close(struct sieve *sieve)
{
	if (!sieve->borrowed)
		scanner_destroy(sieve->scanner);
	*sieve = (struct sieve){ 0 };
}
