/* Making, judging and closing the tree. Its depth is the configuration's, which is bounded. */

#include "pipeline/search/term.h"

#include "pipeline/search/rarity.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_TESTS 8 /* in one condition */

/* Of a record, where chances are guessed. */
static const double places = 200;

static bool no_memory(struct faults *faults)
{
	return fault_at(faults, NULL, NULL, "there is no memory to compile a condition");
}

/* Literals and patterns */

static double literals_cost(const struct term *term)
{
	double each = term->kind == TERM_CONTAINS ? 10 : 1;
	return term->set ? 3 * each : each * (double)term->count;
}

static double certain_at_most(double chance)
{
	return chance < 1 ? chance : 1;
}

static double literals_chance(const struct term *term)
{
	double shares[256], share = 0;
	rarity_shares(shares);
	for (size_t i = 0; i < term->count; i++)
		share += literal_share(&term->literals[i], shares);
	return certain_at_most(term->kind == TERM_CONTAINS ? share * places : share);
}

/* A pattern of which nothing is known holds at every other record. */
static double patterns_chance(const struct term *term)
{
	double chance = 0;
	for (size_t i = 0; i < term->count; i++) {
		const struct required *required = &term->patterns[i].required;
		chance += required->count > 0 ? required->share * places : 0.5;
	}
	return certain_at_most(chance);
}

static bool finding_open(struct term *term)
{
	if (term->count == 1)
		return finder_open(&term->finder, &term->literals[0]);
	term->set = literal_set_create(term->literals, term->count);
	return term->set != NULL;
}

static bool literals_open(
	struct term *term, const struct bytes_list *list, bool fold, struct faults *faults)
{
	term->literals = calloc(list->count, sizeof(*term->literals));
	if (!term->literals)
		return no_memory(faults);
	term->count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		assert(list->items[i].size > 0);
		term->literals[i] = (struct literal){
			.data = list->items[i].data, .size = list->items[i].size, .fold = fold
		};
	}
	if (term->kind == TERM_CONTAINS && !finding_open(term))
		return no_memory(faults);
	term->cost = literals_cost(term);
	term->chance = literals_chance(term);
	return true;
}

static bool patterns_open(
	struct term *term, const struct bytes_list *list, bool fold, struct faults *faults)
{
	term->patterns = calloc(list->count, sizeof(*term->patterns));
	if (!term->patterns)
		return no_memory(faults);
	term->count = list->count;
	bool sound = true;
	for (size_t i = 0; i < list->count; i++) {
		char which[64] = "the pattern ";
		if (list->count > 1)
			snprintf(which, sizeof(which), "pattern %zu of %zu ", i + 1, list->count);
		sound = pattern_open(&term->patterns[i], &list->items[i], fold, which, faults) &&
			sound;
	}
	term->cost = 100 * (double)list->count;
	term->chance = patterns_chance(term);
	return sound;
}

static bool leaf_open(struct term *term, enum term_kind kind, const struct bytes_list *list,
	bool fold, struct faults *faults)
{
	term->kind = kind;
	return kind == TERM_REGEX ? patterns_open(term, list, fold, faults)
				  : literals_open(term, list, fold, faults);
}

/* Shape */

static bool is_list(const struct term *term)
{
	return term->kind == TERM_ALL || term->kind == TERM_ANY;
}

/* Puts the only child in the term's place. */
static void become_child(struct term *term)
{
	struct term *children = term->children;
	*term = children[0];
	free(children);
}

static bool only_not(const struct term *term)
{
	for (size_t i = 0; i < term->count; i++)
		if (term->children[i].kind != TERM_NOT)
			return false;
	return true;
}

/* all(not a, not b) = not any(a, b), and the other way round. The first child's `not` becomes the whole's. */
static void raise_not(struct term *list)
{
	struct term *spare = list->children[0].children;
	for (size_t i = 0; i < list->count; i++) {
		struct term *inner = list->children[i].children;
		list->children[i] = *inner;
		if (inner != spare)
			free(inner);
	}
	list->kind = list->kind == TERM_ALL ? TERM_ANY : TERM_ALL;
	list->chance = 1 - list->chance;
	*spare = *list;
	*list = (struct term){ .kind = TERM_NOT,
		.count = 1,
		.children = spare,
		.cost = spare->cost,
		.chance = 1 - spare->chance };
}

/* What a child costs for each time that it decides: `all` by not holding, `any` by holding. */
static double cost_of_deciding(const struct term *child, enum term_kind list)
{
	const double seldom = 0.001;
	double chance = list == TERM_ALL ? 1 - child->chance : child->chance;
	return child->cost / (chance > seldom ? chance : seldom);
}

static int compare_costs(const struct term *a, const struct term *b, enum term_kind list)
{
	double left = cost_of_deciding(a, list), right = cost_of_deciding(b, list);
	return (left > right) - (left < right);
}

static int by_cost_in_all(const void *left, const void *right)
{
	return compare_costs(left, right, TERM_ALL);
}

static int by_cost_in_any(const void *left, const void *right)
{
	return compare_costs(left, right, TERM_ANY);
}

/* The sum of what its children cost, were all of them judged, and the chance that it holds. */
static void guess(struct term *term)
{
	double cost = 0, all = 1, none = 1;
	for (size_t i = 0; i < term->count; i++) {
		cost += term->children[i].cost;
		all *= term->children[i].chance;
		none *= 1 - term->children[i].chance;
	}
	term->cost = cost;
	term->chance = term->kind == TERM_ALL ? all : 1 - (term->kind == TERM_ANY ? none : all);
}

/* Its children are made: simplify, and order what is left. */
static void settle(struct term *term)
{
	if (term->kind == TERM_NOT && term->children[0].kind == TERM_NOT) {
		become_child(term);
		become_child(term);
		return;
	}
	if (is_list(term) && term->count == 1) {
		become_child(term);
		return;
	}
	guess(term);
	if (!is_list(term))
		return;
	qsort(term->children, term->count, sizeof(*term->children),
		term->kind == TERM_ALL ? by_cost_in_all : by_cost_in_any);
	if (only_not(term))
		raise_not(term);
}

static bool children_allocate(
	struct term *term, enum term_kind kind, size_t count, struct faults *faults)
{
	term->kind = kind;
	term->children = calloc(count, sizeof(*term->children));
	if (!term->children)
		return no_memory(faults);
	return true;
}

static bool list_open(struct term *term, enum term_kind kind, const struct subtrees *list,
	const struct value *value, struct faults *faults)
{
	const struct condition *conditions = list->items;
	const struct value *item = value && value->kind == VALUE_LIST ? value->first : value;
	if (!children_allocate(term, kind, list->count, faults))
		return false;
	term->count = list->count;
	bool sound = true;
	for (size_t i = 0; i < list->count; i++) {
		sound = term_open(&term->children[i], &conditions[i], item, faults) && sound;
		item = item ? item->next : NULL;
	}
	if (sound)
		settle(term);
	return sound;
}

static bool not_open(struct term *term, const struct condition *inner, const struct value *value,
	struct faults *faults)
{
	if (!children_allocate(term, TERM_NOT, 1, faults))
		return false;
	term->count = 1;
	if (!term_open(&term->children[0], inner, value, faults))
		return false;
	settle(term);
	return true;
}

/* The tests that stand beside each other in one condition. */
static bool leaves_open(struct term *all, const struct condition *condition, struct faults *faults)
{
	const struct {
		enum term_kind kind;
		const struct bytes_list *list;
	} leaves[] = { { TERM_EQUALS, &condition->equals },
		{ TERM_STARTS, &condition->starts_with }, { TERM_ENDS, &condition->ends_with },
		{ TERM_CONTAINS, &condition->contains }, { TERM_REGEX, &condition->regex } };
	bool sound = true;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
		if (leaves[i].list->count > 0)
			sound = leaf_open(&all->children[all->count++], leaves[i].kind,
					leaves[i].list, condition->ignore_case, faults) &&
				sound;
	return sound;
}

bool term_open(struct term *term, const struct condition *condition, const struct value *value,
	struct faults *faults)
{
	*term = (struct term){ 0 };
	if (!children_allocate(term, TERM_ALL, MOST_TESTS, faults))
		return false;
	bool sound = leaves_open(term, condition, faults);
	if (condition->any.count > 0)
		sound = list_open(&term->children[term->count++], TERM_ANY, &condition->any,
				value_member(value, "any"), faults) &&
			sound;
	if (condition->all.count > 0)
		sound = list_open(&term->children[term->count++], TERM_ALL, &condition->all,
				value_member(value, "all"), faults) &&
			sound;
	if (condition->not )
		sound = not_open(&term->children[term->count++], condition->not,
				value_member(value, "not"), faults) &&
			sound;
	if (term->count == 0)
		return fault_at(faults, value, "add `contains`, `regex`, or another test",
			"a condition without a test");
	if (sound)
		settle(term);
	return sound;
}

void term_close(struct term *term)
{
	bool inner = is_list(term) || term->kind == TERM_NOT;
	for (size_t i = 0; inner && i < term->count; i++)
		term_close(&term->children[i]);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		pattern_close(&term->patterns[i]);
	finder_close(&term->finder);
	literal_set_destroy(term->set);
	free(term->children);
	free(term->literals);
	free(term->patterns);
	*term = (struct term){ 0 };
}

/* Judging */

static bool contains(const struct term *term, const char *content, size_t size)
{
	size_t length;
	if (term->set)
		return literal_set_find(term->set, content, size, &length) != NULL;
	return finder_find(&term->finder, content, size) != NULL;
}

static bool any_literal(const struct term *term,
	bool (*test)(const struct literal *, const char *, size_t), const char *content,
	size_t size)
{
	for (size_t i = 0; i < term->count; i++)
		if (test(&term->literals[i], content, size))
			return true;
	return false;
}

static bool any_pattern(
	const struct term *term, struct matcher *matcher, const char *content, size_t size)
{
	for (size_t i = 0; i < term->count; i++)
		if (pattern_matches(&term->patterns[i], matcher, content, size))
			return true;
	return false;
}

/* `all` goes on while children hold, `any` while they don't. */
static bool list_holds(
	const struct term *term, struct matcher *matcher, const char *content, size_t size)
{
	bool all = term->kind == TERM_ALL;
	for (size_t i = 0; i < term->count; i++)
		if (term_holds(&term->children[i], matcher, content, size) != all)
			return !all;
	return all;
}

bool term_holds(const struct term *term, struct matcher *matcher, const char *content, size_t size)
{
	switch (term->kind) {
	case TERM_ALL:
	case TERM_ANY:
		return list_holds(term, matcher, content, size);
	case TERM_NOT:
		return !term_holds(&term->children[0], matcher, content, size);
	case TERM_CONTAINS:
		return contains(term, content, size);
	case TERM_STARTS:
		return any_literal(term, literal_starts, content, size);
	case TERM_ENDS:
		return any_literal(term, literal_ends, content, size);
	case TERM_EQUALS:
		return any_literal(term, literal_equals, content, size);
	case TERM_REGEX:
		return any_pattern(term, matcher, content, size);
	}
	return false;
}

/* Accounts */

size_t term_memory(const struct term *term)
{
	size_t memory = finder_cost(&term->finder);
	memory += term->set ? literal_set_cost(term->set) : 0;
	for (size_t i = 0; term->children && i < term->count; i++)
		memory += sizeof(struct term) + term_memory(&term->children[i]);
	for (size_t i = 0; term->patterns && i < term->count; i++)
		memory += sizeof(struct pattern) + pattern_cost(&term->patterns[i]);
	return memory + (term->literals ? term->count * sizeof(*term->literals) : 0);
}

void term_count_patterns(const struct term *term, struct pattern_count *count)
{
	for (size_t i = 0; term->children && i < term->count; i++)
		term_count_patterns(&term->children[i], count);
	for (size_t i = 0; term->patterns && i < term->count; i++) {
		count->all++;
		count->interpreted += !term->patterns[i].machine_code;
	}
}
