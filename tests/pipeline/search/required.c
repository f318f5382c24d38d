/* What patterns require; that every match has it is what the tests of conditions find out. */

#include "pipeline/search/required.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *pattern, *required; /* the literals, each behind a bar */
} known[] = {
	{ "error", "|error" },
	{ "status=5\\d\\d", "|status=5" },
	{ "^\\[error\\] \\d+$", "|[error] " },
	{ "\\Aab\\z", "|ab" },
	{ "foo\\b bar", "|foo bar" },
	{ "foo(?!x)bar(?<=y)!", "|foobar!" },
	{ "foo(?=barbarbar)", "|foo" },
	{ "ab+c", "|ab" },
	{ "xab?cdef", "|cdef" },
	{ "ab{2}cde", "|bcde" },
	{ "ab{0}cde", "|cde" },
	{ "ab*cde", "|cde" },
	{ "abc*?d", "|ab" },
	{ "(?:abc)?de", "|de" },
	{ "(abc)+d", "|abc" },
	{ "(abc){0,3}d", "" },
	{ "foo|bar", "|foo|bar" },
	{ "^(?:foo|bar)=", "|foo|bar" },
	{ "user (?:foo|bar)", "|user " },
	{ "foo|b\\d", "" },
	{ "foo|", "" },
	{ "(foo|)bar", "|bar" },
	{ "a.b", "" },
	{ "\\x66o\\x{6f}\\t\\.", "|foo\t." },
	{ "[abc]de[^]x]fgh[]]", "|fgh" },
	{ "[[:alpha:]]ab", "|ab" },
	{ "[a\\]b]cd", "|cd" },
	{ "{\"level\":\"err", "|{\"level\":\"err" },
	{ "(?<name>ab)(?P<other>abc)(?'third'a)", "|abc" },
	{ "(a)\\1bc", "|bc" },
	{ "(?i)ab", "|AB" },
	{ "a(?i:b)cd", "|CD" },
	{ "(?-i:ab)", "|ab" },
	{ "(?s)ab", "|ab" },
	{ "(?>ab|abc)++d", "|ab|abc" },
	{ "ab\\Kcd", "|abcd" },
	{ "\xc3\xa9t\xc3\xa9", "|\xc3\xa9t\xc3\xa9" },
	{ "a\\Rbc", "|bc" },
	/* Not understood: */
	{ "(?x) a b", "" },
	{ "\\Qa.b\\E", "" },
	{ "(*ANYCRLF)abc", "" },
	{ "abc(*ACCEPT)def", "" },
	{ "abc(?#def)", "" },
	{ "(a)?(?(1)bc|de)", "" },
	{ "(?R)?abc", "" },
	{ "ab{,3}cd", "" },
	{ "abc\\012", "" },
	{ "abc\\k<n>", "" },
	{ "[\\Qa\\E]bc", "" },
	{ "[[.a.]]bc", "" },
	{ "abc\\p{L}", "" },
	{ "abc\\cA", "" },
};

/* Folding ones in capitals. */
static void describe(const struct required *required, char *text)
{
	for (size_t i = 0; i < required->count; i++) {
		*text++ = '|';
		for (size_t j = 0; j < required->literals[i].size; j++) {
			char byte = required->literals[i].data[j];
			bool small = byte >= 'a' && byte <= 'z';
			*text++ = required->literals[i].fold && small ? (char)(byte - 32) : byte;
		}
	}
	*text = '\0';
}

Test(required, is_what_no_match_can_do_without)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		char text[256];
		const char *pattern = known[i].pattern;
		struct required required = required_by(pattern, strlen(pattern), false);
		describe(&required, text);
		cr_expect_str_eq(text, known[i].required, "%s: %s instead of %s", pattern, text,
			known[i].required);
		cr_expect_eq(required_cost(&required) > 0, known[i].required[0] != '\0');
		required_close(&required);
	}
}

Test(required, folds_where_the_whole_pattern_does)
{
	struct required required = required_by("abc", 3, true);
	cr_assert_eq(required.count, 1);
	cr_expect(required.literals[0].fold);
	required_close(&required);
}

Test(required, is_nothing_where_groups_are_too_deep_or_literals_too_many)
{
	char deep[128] = "", many[2048] = "aa";
	for (int i = 0; i < 40; i++)
		strcat(deep, "(");
	strcat(deep, "abc");
	for (int i = 0; i < 40; i++)
		strcat(deep, ")");
	for (int i = 0; i < 300; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "|b%02d", i % 100);
	cr_expect_eq(required_by(deep, strlen(deep), false).count, 0);
	cr_expect_eq(required_by(many, strlen(many), false).count, 0);
}
