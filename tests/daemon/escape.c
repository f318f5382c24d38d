/* Escaping: nothing that a text contains ends a line, steers a terminal, or is no UTF-8. */
#include "daemon/escape.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *escaped(const char *text)
{
	static char to[200];

	cr_assert_eq(escape(to, sizeof(to), text), strlen(to));
	return to;
}

Test(escape, plain_text_stays)
{
	cr_assert_str_eq(escaped("a b=c: /x/y"), "a b=c: /x/y");
	cr_assert_str_eq(escaped("größer → 𝄞"), "größer → 𝄞");
}

Test(escape, quotes_and_control_characters)
{
	cr_assert_str_eq(escaped("a\"b\\c"), "a\\\"b\\\\c");
	cr_assert_str_eq(escaped("a\nb\rc\td"), "a\\nb\\rc\\td");
	cr_assert_str_eq(escaped("\033[2J\a\177"), "\\u001b[2J\\u0007\\u007f");
	cr_assert_str_eq(escaped("\302\233"
				 "2J\342\200\250"),
		"\\u009b2J\\u2028");
}

Test(escape, what_is_no_utf8_is_shown_as_bytes)
{
	cr_assert_str_eq(escaped("\377x"), "\\\\xffx");
	cr_assert_str_eq(escaped("\303"), "\\\\xc3");
	cr_assert_str_eq(escaped("\300\257"), "\\\\xc0\\\\xaf");
	cr_assert_str_eq(escaped("\355\240\200"), "\\\\xed\\\\xa0\\\\x80");
	cr_assert_str_eq(escaped("\364\220\200\200"), "\\\\xf4\\\\x90\\\\x80\\\\x80");
	cr_assert_str_eq(escaped("\342\202"), "\\\\xe2\\\\x82");
}

Test(escape, what_does_not_fit_is_left_out_by_whole_characters)
{
	char to[8];

	for (size_t room = 1; room <= sizeof(to); room++) {
		memset(to, '#', sizeof(to));
		const size_t size = escape(to, room, "ab\n→c");
		cr_assert_eq(to[size], '\0');
		cr_assert_lt(size, room);
		cr_assert(size == 0 || size == 1 || size == 2 || size == 4 || size == 7);
	}
}
