/* Pauses between attempts. */

#include "pipeline/sinks/retry.h"

#include <criterion/criterion.h>

static void expect_about(uint64_t pause, uint64_t middle)
{
	cr_assert_geq(pause, middle - middle / 4);
	cr_assert_leq(pause, middle + middle / 4);
}

Test(retry, pauses_double_up_to_the_longest_and_begin_anew)
{
	const struct retry retry = { .first = 100, .most = 1000 };
	struct pauses pauses = { 0 };

	for (int round = 0; round < 100; round++) {
		pauses_begin(&pauses, &retry);
		expect_about(pauses_next(&pauses, &retry), 100);
		expect_about(pauses_next(&pauses, &retry), 200);
		expect_about(pauses_next(&pauses, &retry), 400);
		expect_about(pauses_next(&pauses, &retry), 800);
		for (int i = 0; i < 5; i++)
			expect_about(pauses_next(&pauses, &retry), 1000);
	}
}

Test(retry, pauses_vary)
{
	const struct retry retry = { .first = 10000, .most = 10000 };
	struct pauses pauses = { 0 };
	bool below = false, above = false;

	pauses_begin(&pauses, &retry);
	for (int i = 0; i < 1000; i++) {
		uint64_t pause = pauses_next(&pauses, &retry);

		below |= pause < 9000;
		above |= pause > 11000;
	}
	cr_assert(below && above);
}

Test(retry, the_first_pause_is_never_longer_than_the_longest)
{
	const struct retry retry = { .first = 5000, .most = 1 };
	struct pauses pauses = { 0 };

	pauses_begin(&pauses, &retry);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(pauses_next(&pauses, &retry), 1);
}
