/* Text in manual pages. */
#include "config/roff.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect(void (*print)(FILE *out, const char *text), const char *text, const char *due)
{
	char *made;
	size_t size;
	FILE *out = open_memstream(&made, &size);
	cr_assert(out);
	print(out, text);
	fclose(out);
	cr_expect_str_eq(made, due);
	free(made);
}

Test(roff, what_would_be_an_escape_or_a_request)
{
	expect(roff_text, "a-b\\d", "a\\-b\\ed");
	expect(roff_text, ".TH", "\\&.TH");
	expect(roff_text, "'so it is", "\\&'so it is");
	expect(roff_text, "in the end. 'so'", "in the end. 'so'");
	expect(roff_text, "~^", "\\(ti\\(ha");
	expect(roff_line, "", "\n");
}

Test(roff, words_in_backticks_are_bold)
{
	expect(roff_line, "the `--quiet` one", "the \\fB\\-\\-quiet\\fR one\n");
	expect(roff_text, "`a``b`", "\\fBa\\fR\\fBb\\fR");
}

Test(roff, examples_stay_as_they_are)
{
	expect(roff_example, ".a\n`b`\n", ".PP\n.RS 4\n.nf\n\\&.a\n`b`\n.fi\n.RE\n");
}
