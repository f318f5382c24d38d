/* Terms: the order in which children are judged. */

#include "pipeline/search/term.h"

#include <criterion/criterion.h>

#define ONE(text)                                                                                  \
	{                                                                                          \
		&(struct bytes){ .data = (text), .size = sizeof(text) - 1 }, 1                     \
	}

static struct condition children[4] = { { .regex = ONE("x(?#y)") }, { .contains = ONE("e") },
	{ .contains = ONE("qqqq") }, { .starts_with = ONE("a") } };

static void check_order(
	const struct condition *condition, enum term_kind kind, const int expected[4])
{
	static const enum term_kind kinds[] = { TERM_REGEX, TERM_CONTAINS, TERM_CONTAINS,
		TERM_STARTS };
	struct faults faults = { 0 };
	struct term term;
	cr_assert(term_open(&term, condition, NULL, &faults));
	cr_assert_eq(term.kind, kind);
	cr_assert_eq(term.count, 4);
	for (int i = 0; i < 4; i++) {
		const struct term *child = &term.children[i];
		cr_assert_eq(child->kind, kinds[expected[i]], "%d", i);
		if (child->kind == TERM_CONTAINS)
			cr_expect_eq(child->literals[0].size,
				children[expected[i]].contains.items[0].size, "%d", i);
	}
	term_close(&term);
}

Test(term, all_begins_with_what_is_cheap_and_seldom_holds)
{
	const struct condition condition = { .all = { children, 4 } };
	check_order(&condition, TERM_ALL, (const int[]){ 3, 2, 0, 1 });
}

Test(term, any_begins_with_what_is_cheap_and_mostly_holds)
{
	const struct condition condition = { .any = { children, 4 } };
	check_order(&condition, TERM_ANY, (const int[]){ 1, 3, 0, 2 });
}

Test(term, chances_are_between_never_and_always)
{
	struct condition nested[] = { { .not = &children[0] }, { .any = { children, 4 } },
		{ .all = { children, 4 } }, { .not = &children[1] } };
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++) {
		struct faults faults = { 0 };
		struct term term;
		cr_assert(term_open(&term, &nested[i], NULL, &faults));
		cr_expect(term.chance >= 0 && term.chance <= 1, "%zu: %f", i, term.chance);
		cr_expect_gt(term.cost, 0);
		term_close(&term);
	}
}
