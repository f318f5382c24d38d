/* UTF-8: what is a sequence, and how text is made safe to show. */
#include "config/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static size_t sequence(const char *text, uint32_t *code)
{
	return utf8_sequence(text, strlen(text), code);
}

Test(utf8, sequences)
{
	uint32_t code;
	cr_expect_eq(sequence("a", &code), 1);
	cr_expect_eq(code, 'a');
	cr_expect_eq(sequence("\xc3\xa9x", &code), 2);
	cr_expect_eq(code, 0xe9);
	cr_expect_eq(sequence("\xe2\x82\xac", &code), 3);
	cr_expect_eq(code, 0x20ac);
	cr_expect_eq(sequence("\xf0\x9f\x98\x80", &code), 4);
	cr_expect_eq(code, 0x1f600);
	cr_expect_eq(sequence("\xf4\x8f\xbf\xbf", &code), 4);
	cr_expect_eq(code, 0x10ffff);
	cr_expect_eq(utf8_sequence("\0", 1, &code), 1);
	cr_expect_eq(utf8_sequence("\xc3\xa9", 2, NULL), 2);
}

Test(utf8, no_sequences)
{
	static const char *const wrong[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3",
		"\xc3x", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82x", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(sequence(wrong[i], NULL), 0, "%zu", i);
	cr_expect_eq(utf8_sequence("", 0, NULL), 0);
}

Test(utf8, what_controls_a_terminal_is_escaped)
{
	static const char text[] = "a\t\n\x1b[31m\x7f\xc2\x9b\xe2\x80\xae\xff\xc3 \xc3\xa9";
	char *visible = utf8_visible_text(text, sizeof(text) - 1);
	cr_expect_str_eq(visible, "a\\x09\\x0a\\x1b[31m\\x7f\\u009b\\u202e\\xff\\xc3 \xc3\xa9");
	free(visible);
	visible = utf8_visible_text("\0", 1);
	cr_expect_str_eq(visible, "\\x00");
	free(visible);
}

Test(utf8, cells)
{
	char shown[VISIBLE_ROOM];
	size_t cells;
	cr_expect_eq(utf8_visible("\xc3\xa9", 2, shown, &cells), 2);
	cr_expect_eq(cells, 1);
	cr_expect_eq(utf8_visible("\x1b", 1, shown, &cells), 1);
	cr_expect_eq(cells, 4);
	cr_expect_eq(utf8_visible("\xe2\x80\xae", 3, shown, &cells), 3);
	cr_expect_eq(cells, 6);
}
