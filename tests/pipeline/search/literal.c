/* Literals, at their borders. */

#include "pipeline/search/literal.h"

#include <criterion/criterion.h>

static const struct literal plain = { "Ab\0c", 4, false }, folding = { "Ab\0c", 4, true };

Test(literal, stands_at_the_start)
{
	cr_expect(literal_starts(&plain, "Ab\0c", 4));
	cr_expect(literal_starts(&plain, "Ab\0cd", 5));
	cr_expect_not(literal_starts(&plain, "Ab\0c", 3));
	cr_expect_not(literal_starts(&plain, "ab\0c", 4));
	cr_expect(literal_starts(&folding, "aB\0Cx", 5));
	cr_expect_not(literal_starts(&folding, "", 0));
}

Test(literal, stands_at_the_end)
{
	cr_expect(literal_ends(&plain, "xAb\0c", 5));
	cr_expect_not(literal_ends(&plain, "Ab\0cx", 5));
	cr_expect_not(literal_ends(&plain, "b\0c", 3));
	cr_expect(literal_ends(&folding, "xAB\0C", 5));
}

Test(literal, is_all_there_is)
{
	cr_expect(literal_equals(&plain, "Ab\0c", 4));
	cr_expect_not(literal_equals(&plain, "Ab\0cx", 5));
	cr_expect_not(literal_equals(&plain, "ab\0c", 4));
	cr_expect(literal_equals(&folding, "AB\0C", 4));
}
