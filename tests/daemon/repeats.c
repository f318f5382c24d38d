/* Repeats: what is folded, for how long, and what is told of it. */
#include "daemon/repeats.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct repeats repeats;

static bool fold(const char *text, uint64_t now)
{
	const struct event event = { LOG_LEVEL_INFO, "p", NULL, text };

	return repeats_fold(&repeats, &event, now);
}

Test(repeats, the_same_within_a_second_is_counted_and_told)
{
	const struct event *event;
	uint64_t count;

	cr_assert_not(fold("x", 100));
	cr_assert_eq(repeats_patience(&repeats, 100), -1);
	cr_assert(fold("x", 200));
	cr_assert(fold("x", 1099));
	cr_assert_eq(repeats_patience(&repeats, 900), 200);
	cr_assert_null(repeats_due(&repeats, 1099, &count));
	event = repeats_due(&repeats, 1100, &count);
	cr_assert_not_null(event);
	cr_assert_str_eq(event->text, "x");
	cr_assert_str_eq(event->pipeline, "p");
	cr_assert_null(event->node);
	cr_assert_eq(count, 2);
	cr_assert_null(repeats_due(&repeats, 1100, &count));
	/* What goes on is told once a second. */
	cr_assert(fold("x", 2000));
	cr_assert_not_null(repeats_due(&repeats, 2100, &count));
	cr_assert_eq(count, 1);
	cr_assert_not(fold("x", 3200));
}

Test(repeats, what_differs_in_anything_is_not_the_same)
{
	const struct event all[] = { { LOG_LEVEL_INFO, "p", "n", "x" },
		{ LOG_LEVEL_ERROR, "p", "n", "x" }, { LOG_LEVEL_INFO, NULL, "n", "x" },
		{ LOG_LEVEL_INFO, "p", NULL, "x" }, { LOG_LEVEL_INFO, "p", "m", "x" },
		{ LOG_LEVEL_INFO, "p", "n", "y" } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		cr_assert_not(repeats_fold(&repeats, &all[i], 1));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		cr_assert(repeats_fold(&repeats, &all[i], 1));
}

Test(repeats, those_that_take_turns_are_folded_too)
{
	for (int i = 0; i < 10; i++) {
		cr_assert_eq(fold("a", 1), i > 0);
		cr_assert_eq(fold("b", 1), i > 0);
	}
}

/* "down" was the last word: "up" must not be told behind it. */
Test(repeats, are_told_in_the_order_in_which_they_came_last)
{
	uint64_t count;

	fold("down", 1);
	fold("up", 2);
	cr_assert(fold("down", 3));
	cr_assert(fold("up", 4));
	cr_assert(fold("down", 5));
	cr_assert_str_eq(repeats_due(&repeats, 1001, &count)->text, "up");
	cr_assert_eq(count, 1);
	cr_assert_str_eq(repeats_due(&repeats, 1001, &count)->text, "down");
	cr_assert_eq(count, 2);
	cr_assert_null(repeats_due(&repeats, 1001, &count));
}

Test(repeats, are_told_before_what_comes_after_them)
{
	const struct event away = { LOG_LEVEL_INFO, "p", NULL, "away, trying again in 5 ms" };
	const struct event other = { LOG_LEVEL_INFO, "p", "n", "of another node" };
	uint64_t count;

	fold("up", 1);
	cr_assert(fold("up", 2));
	cr_assert_not(repeats_fold(&repeats, &other, 3));
	cr_assert_null(repeats_overtaken(&repeats, &other, &count));
	cr_assert_not(repeats_fold(&repeats, &away, 4));
	cr_assert_str_eq(repeats_overtaken(&repeats, &away, &count)->text, "up");
	cr_assert_eq(count, 1);
	cr_assert_null(repeats_overtaken(&repeats, &away, &count));
	cr_assert_null(repeats_due(&repeats, 1002, &count), "it was told");
}

Test(repeats, one_that_has_to_make_place_is_told)
{
	const struct event *event;
	uint64_t count;
	char text[16];

	for (uint64_t i = 0; i < REPEATS_MOST; i++) {
		snprintf(text, sizeof(text), "%d", (int)i);
		cr_assert_null(repeats_crowded(&repeats, i + 1, &count));
		cr_assert_not(fold(text, i + 1));
		cr_assert(fold(text, i + 1));
	}
	event = repeats_crowded(&repeats, 50, &count);
	cr_assert_not_null(event);
	cr_assert_str_eq(event->text, "0");
	cr_assert_eq(count, 1);
	cr_assert_not(fold("new", 50));
	cr_assert(fold("new", 50));
	cr_assert(fold("1", 50));
}

Test(repeats, what_is_too_long_to_remember_is_never_folded)
{
	char text[2 * REPEAT_TEXT];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_not(fold(text, 1));
	cr_assert_not(fold(text, 1));
}
