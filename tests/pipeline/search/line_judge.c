/* Where records of several lines begin. */

#include "pipeline/search/line_judge.h"

#include <criterion/criterion.h>
#include <string.h>

/* Lines, those that begin a record marked with '>' in front, the others with ' '. */
static void check(enum line_preset preset, const char *const *lines)
{
	struct faults faults = { 0 };
	struct line_judge *judge = line_judge_by_preset(preset, &faults);
	enum line_class last = LINE_NONE;
	cr_assert(judge);
	cr_assert_gt(line_judge_cost(judge), 0);
	for (; *lines; lines++)
		cr_assert_eq(line_judge_begins(judge, &last, *lines + 1, strlen(*lines + 1)),
			**lines == '>', "%s", *lines);
	line_judge_destroy(judge);
}

Test(line_judge, java)
{
	static const char *const lines[] = { "> indented, but the first", ">2026 ERROR one",
		" java.lang.Error: x", " \tat a.B.c(B.java:1)", " Caused by: java.io.IOException",
		" \t... 3 more", " ", ">java.lang.Error", " \tat a.B.c(B.java:1)",
		" \tSuppressed: a.B: x", ">java.lang.Error: y", ">Error: a plain line",
		">127.0.0.1: an address", ">java.lang:noted", NULL };
	check(LINES_JAVA, lines);
}

Test(line_judge, python)
{
	static const char *const lines[] = { ">ERROR:root:one",
		" Traceback (most recent call last):", "   File \"x\", line 1, in y",
		" ValueError: x", " ",
		" During handling of the above exception, another exception occurred:", " ",
		" Traceback (most recent call last):", "   File", " a.b.Error",
		">Traceback (most recent call last):", "   File", " KeyError: 1", ">plain",
		">KeyError: behind a plain line", NULL };
	check(LINES_PYTHON, lines);
}

Test(line_judge, indent)
{
	static const char *const lines[] = { "> first", ">one", "   two", " ", " \t", " \r",
		">three", NULL };
	check(LINES_INDENT, lines);
}

Test(line_judge, a_pattern)
{
	struct faults faults = { 0 };
	struct bytes pattern = { .data = "^\\d", .size = 3 }, wrong = { .data = "(", .size = 1 };
	struct line_judge *judge = line_judge_by_pattern(&pattern, &faults);
	enum line_class last = LINE_NONE;
	cr_assert(judge);
	cr_expect(line_judge_begins(judge, &last, "1", 1));
	cr_expect_not(line_judge_begins(judge, &last, "a1", 2));
	cr_expect_not(line_judge_begins(judge, &last, "", 0));
	line_judge_destroy(judge);
	cr_expect_null(line_judge_by_pattern(&wrong, &faults));
	faults_close(&faults);
}
