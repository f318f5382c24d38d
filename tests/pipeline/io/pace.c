/* Pace: when writes are made at once. */

#include "pipeline/io/pace.h"

#include <criterion/criterion.h>

enum { MS = 1000 * 1000, START = 77 };

TestSuite(pace);

Test(pace, is_quick_at_first_and_stays_so)
{
	struct pace pace = { 0 };
	uint64_t now = START;

	for (int i = 0; i < 1000; i++) {
		cr_assert(pace_is_quick(&pace, now));
		pace_took(&pace, now, now + 9 * MS);
		now += 9 * MS;
	}
}

Test(pace, rests_for_twenty_times_what_a_long_write_took)
{
	struct pace pace = { 0 };

	pace_took(&pace, START, START + 30 * MS);
	cr_assert_not(pace_is_quick(&pace, START + 30 * MS));
	cr_assert_not(pace_is_quick(&pace, START + 629 * MS));
	cr_assert(pace_is_quick(&pace, START + 630 * MS));
	pace_took(&pace, START + 630 * MS, START + 631 * MS);
	cr_assert(pace_is_quick(&pace, START + 631 * MS), "one that was quick is enough");
}

Test(pace, loses_a_twentieth_of_the_time_at_most)
{
	struct pace pace = { 0 };
	uint64_t now = START, lost = 0;

	for (int i = 0; i < 100000; i++, now += MS) {
		if (!pace_is_quick(&pace, now))
			continue;
		pace_took(&pace, now, now + 200 * MS);
		lost += 200 * MS;
		now += 200 * MS;
	}
	cr_assert_leq(lost, (now - START) / 20);
	cr_assert_gt(lost, 0);
}
