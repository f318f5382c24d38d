/* Paths with the time in them. */

#include "pipeline/sinks/file_path.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NEW_YEAR = 1704067200 /* 2024-01-01 00:00:00 UTC */ };

Test(file_path, is_what_is_written_without_conversions)
{
	static struct file_path path;

	cr_assert(file_path_begin(&path, "logs/a.log", false, NEW_YEAR));
	cr_expect_str_eq(file_path_text(&path), "logs/a.log");
	cr_expect_not(file_path_moves(&path, NEW_YEAR + 86400));
}

Test(file_path, moves_with_the_clock)
{
	static struct file_path path;

	cr_assert(file_path_begin(&path, "%Y/%m-%d 100%%.log", false, NEW_YEAR - 1));
	cr_expect_str_eq(file_path_text(&path), "2023/12-31 100%.log");
	cr_expect_not(file_path_moves(&path, NEW_YEAR - 1));
	cr_assert(file_path_moves(&path, NEW_YEAR));
	cr_assert(file_path_moves(&path, NEW_YEAR), "until it is moved");
	cr_expect_str_eq(file_path_next(&path), "2024/01-01 100%.log");
	cr_expect_str_eq(file_path_text(&path), "2023/12-31 100%.log");
	file_path_move(&path);
	cr_expect_str_eq(file_path_text(&path), "2024/01-01 100%.log");
	cr_expect_not(file_path_moves(&path, NEW_YEAR));
	cr_expect_not(file_path_moves(&path, NEW_YEAR + 86399));
	cr_assert(file_path_moves(&path, NEW_YEAR - 86400), "a clock that is set back");
	cr_expect_str_eq(file_path_next(&path), "2023/12-31 100%.log");
}

Test(file_path, comes_back_before_it_was_moved)
{
	static struct file_path path;

	cr_assert(file_path_begin(&path, "%d", false, NEW_YEAR));
	cr_assert(file_path_moves(&path, NEW_YEAR + 86400));
	cr_expect_not(file_path_moves(&path, NEW_YEAR + 1));
}

Test(file_path, knows_local_time)
{
	static struct file_path path;

	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	cr_assert(file_path_begin(&path, "%H:%M", true, NEW_YEAR));
	cr_expect_str_eq(file_path_text(&path), "05:30");
	cr_assert(file_path_begin(&path, "%H:%M", false, NEW_YEAR));
	cr_expect_str_eq(file_path_text(&path), "00:00");
}

Test(file_path, refuses_what_is_no_path)
{
	static const char *const refused[][2] = { { "%D", "%D" }, { "a%", "%" }, { "%Y%%%n", "%n" },
		{ "100%.log", "%.log" }, { "%x", "%x" }, { "%E", "%E" }, { "%5d", "%5d" } };
	static const char *const taken[] = { "", "a", "%%", "%Y-%m-%dT%H:%M:%S%z", "%j%%" };

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		cr_expect_str_eq(file_path_refused(refused[i][0]), refused[i][1]);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		cr_expect_null(file_path_refused(taken[i]), "%s", taken[i]);
}

Test(file_path, refuses_what_is_too_long)
{
	static struct file_path path;
	static char template[2 * PATH_MAX];

	memset(template, 'x', sizeof(template) - 1);
	cr_expect_not(file_path_begin(&path, template, false, NEW_YEAR));
	template[0] = '%';
	template[1] = 'Y';
	cr_expect_not(file_path_begin(&path, template, false, NEW_YEAR));
}
