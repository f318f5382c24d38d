/* The monotonic clock. */
#include "daemon/clock.h"

#include <criterion/criterion.h>

Test(clock, tells_a_deadline_to_the_millisecond)
{
	for (uint64_t wait = 0; wait < 3000; wait += 7) {
		const uint64_t before = clock_ms();
		const struct timespec then = clock_after(wait);
		const uint64_t after = clock_ms();
		const uint64_t told =
			(uint64_t)then.tv_sec * 1000 + (uint64_t)then.tv_nsec / 1000000;
		cr_assert_lt(then.tv_nsec, 1000000000);
		cr_assert_geq(told, before + wait);
		cr_assert_leq(told, after + wait);
	}
}
