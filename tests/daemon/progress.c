/* What the progress line says. */
#include "daemon/progress.h"

#include <criterion/criterion.h>
#include <string.h>

Test(progress, part_rate_and_time_left)
{
	const struct progress_state state = { .done = 250000000, .all = 1000000000, .ms = 1000 };
	char text[128];

	progress_format(&state, text);
	cr_assert_not_null(strstr(text, "25 %"), "%s", text);
	cr_assert_not_null(strstr(text, "250 MB of 1.00 GB"), "%s", text);
	cr_assert_not_null(strstr(text, "250 MB/s"), "%s", text);
	cr_assert_not_null(strstr(text, "3s left"), "%s", text);
}

Test(progress, long_times)
{
	char text[128];

	progress_format(&(struct progress_state){ .done = 1000, .all = 131000, .ms = 1000 }, text);
	cr_assert_not_null(strstr(text, "2m 10s left"), "%s", text);
	progress_format(&(struct progress_state){ .done = 1000, .all = 7201000, .ms = 1000 }, text);
	cr_assert_not_null(strstr(text, "2h 0m left"), "%s", text);
}

Test(progress, nothing_done_yet_promises_nothing)
{
	char text[128];

	progress_format(&(struct progress_state){ .all = 1000 }, text);
	cr_assert_not_null(strstr(text, "  0 %"), "%s", text);
	cr_assert_null(strstr(text, "left"), "%s", text);
}

Test(progress, a_file_that_grows_meanwhile_is_at_most_whole)
{
	char text[128];

	progress_format(&(struct progress_state){ .done = 2000, .all = 1000, .ms = 1000 }, text);
	cr_assert_not_null(strstr(text, "100 %"), "%s", text);
	cr_assert_not_null(strstr(text, "0s left"), "%s", text);
}
