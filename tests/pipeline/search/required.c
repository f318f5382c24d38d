/* What patterns require; that every match has it is what the tests of conditions find out. */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "pipeline/search/required.h"

#include <criterion/criterion.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *pattern;
	const char *required; /* each string behind a bar; `enough` if it ends with `!` */
} known[] = {
	{ "error", "|error!" },
	{ "status=5\\d\\d", "|status=5##!" },
	{ "^\\[error\\] \\d+$", "|[error] #" },
	{ "\\Aab\\z", "|ab" },
	{ "foo\\b bar", "|foo bar" },
	{ "foo(?!x)bar(?<=y)z", "|foobarz" },
	{ "foo(?=barbarbar)", "|foo" },
	{ "ab+c", "|bc" },
	{ "ab+", "|ab!" },
	{ "b+a", "|ba!" },
	{ "b++a", "|ba" },
	{ "a*bc?", "|b!" },
	{ "\\d+ ms", "|# ms!" },
	{ ".*error.*", "|error!" },
	{ ".*error.*x", "|error" },
	{ "xab?cdef", "|cdef" },
	{ "ab{2}cde", "|abbcde!" },
	{ "ab{2,}cde", "|bbcde" },
	{ "ab{0}cde", "|acde!" },
	{ "ab*cde", "|cde" },
	{ "abc*?d", "|ab" },
	{ "(?:abc)?de", "|de" },
	{ "(abc)+d", "|abc" },
	{ "(abc)+", "|abc!" },
	{ "(abc){2}", "|abc" },
	{ "(abc){0,3}d", "|d" },
	{ "foo|bar", "|foo|bar!" },
	{ "(foo|(?:bar|\\d))", "|foo|bar|#!" },
	{ "^(?:foo|bar)=", "|foo|bar" },
	{ "user (?:foo|bar)", "|user " },
	{ "foo|b\\d", "|foo|b#!" },
	{ "foo|b\\d$", "|foo|b#" },
	{ "foo|", "" },
	{ "x*", "" },
	{ "(foo|)bar", "|bar" },
	{ "a.b", "|a~b!" },
	{ "(?s)a.b", "|a~b!" },
	{ "a\\Bb", "|ab" },
	{ "\\x66o\\x{6f}\\t\\.", "|foo\t.!" },
	{ "[abc]de[^]x]fgh[]]", "|~de~fgh]!" },
	{ "[0-9]{3}[[:digit:]]", "|####!" },
	{ "[[:alpha:]]ab", "|~ab!" },
	{ "[a\\]b]cd", "|~cd!" },
	{ "{\"level\":\"err", "|{\"level\":\"err!" },
	{ "(?<name>ab)(?P<other>abc)(?'third'a)", "|abc" },
	{ "(a)\\1bc", "|bc" },
	{ "(?i)ab", "|AB!" },
	{ "(?i)ab|c\\d", "|AB|C#!" },
	{ "(?i)[^a]b", "|~B!" },
	{ "a(?i:b)cd", "|CD" },
	{ "a(?i)b[^c]d", "|aB" },
	{ "(?-i:ab)", "|ab" },
	{ "(?i:ab)|c", "|AB|C" },
	{ "(?m)ab", "|ab!" },
	{ "(?>ab|abc)++d", "|ab|abc" },
	{ "ab\\Kcd", "|abcd" },
	{ "\xc3\xa9t\xc3\xa9", "|\xc3\xa9t\xc3\xa9!" },
	{ "a\\Rbc", "|bc" },
	{ "[a-\\w]bc|[\\012]bc", "|bc|bc" },
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

/* Letters in both cases as capitals, digits as `#`, other classes as `~`. */
static char sign_of(const struct byte_class *class)
{
	unsigned char lowest = byte_class_lowest(class);
	if (byte_class_count(class) == 1)
		return (char)lowest;
	if (byte_class_count(class) == 2 && byte_class_has(class, (char)(lowest ^ 0x20)))
		return (char)lowest;
	return byte_class_count(class) == 10 && lowest == '0' ? '#' : '~';
}

static void describe(const struct required *required, char *text)
{
	for (size_t i = 0; i < required->count; i++) {
		*text++ = '|';
		for (size_t j = 0; j < required->sequences[i].size; j++)
			*text++ = sign_of(&required->sequences[i].classes[j]);
	}
	if (required->enough)
		*text++ = '!';
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

/* A class has the very bytes that PCRE2 matches. */
static void check_class(const char *pattern, bool fold)
{
	int error;
	size_t offset;
	struct required required = required_by(pattern, strlen(pattern), fold);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		fold ? PCRE2_CASELESS : 0, &error, &offset, NULL);
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	cr_assert(code && match, "%s", pattern);
	cr_assert_eq(required.count, 1, "%s", pattern);
	cr_assert(required.enough && required.sequences[0].size == 1, "%s", pattern);
	for (int byte = 0; byte < 256; byte++) {
		char data = (char)byte;
		bool matches = pcre2_match(code, (PCRE2_SPTR)&data, 1, 0, 0, match, NULL) >= 0;
		cr_expect_eq(byte_class_has(&required.sequences[0].classes[0], data), matches,
			"%s: byte %d", pattern, byte);
	}
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	required_close(&required);
}

Test(required, classes_are_those_of_pcre2)
{
	static const char *const classes[] = { "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\h",
		"\\H", "\\v", "\\V", "\\N", ".", "(?s).", "[a-f]", "[^a-f]", "[]a]", "[^]]", "[a-]",
		"[-a]", "[\\d.]", "[^\\s,]", "[\\W_]", "[\\x41-\\x5A]", "[\\x{30}-4]", "[\\n-\\r]",
		"[\\b]", "[\\-\\]]", "[+--]", "[[:alpha:]]", "[[:^alpha:]]", "[[:lower:]]",
		"[[:upper:]]", "[^[:upper:]]", "[[:^upper:]]", "[[:alnum:]]", "[[:ascii:]]",
		"[[:blank:]]", "[[:cntrl:]]", "[[:digit:]]", "[[:graph:]]", "[[:print:]]",
		"[[:punct:]]", "[[:space:]]", "[[:word:]]", "[[:xdigit:]]", "[\\xe0-\\xff]", "k",
		"K", "\\xe9", "\\.", "@", "\\x60", "[\\h\\v]", "(?i)[^k]", "(?i)[[:upper:]]" };
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		check_class(classes[i], false);
		check_class(classes[i], true);
	}
}

Test(required, folds_where_the_whole_pattern_does)
{
	struct required required = required_by("abc", 3, true);
	cr_assert_eq(required.count, 1);
	cr_expect(required.sequences[0].plain && required.sequences[0].literal.fold);
	required_close(&required);
}

Test(required, is_nothing_where_groups_are_too_deep_or_strings_too_many)
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
