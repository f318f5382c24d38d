/* Patterns: bytes, limits, faults. */

#include "pipeline/search/pattern.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static struct faults faults;

static void open_pattern(struct pattern *pattern, const char *text)
{
	struct bytes bytes = { .data = text, .size = strlen(text) };
	cr_assert(pattern_open(pattern, &bytes, false, "the pattern ", &faults), "%s", text);
}

static void check_bytes(bool interprets)
{
	static const struct {
		const char *pattern, *content;
		size_t size;
		bool matches;
	} known[] = {
		{ "a.b", "a\0b", 3, true },
		{ "a.b", "a\nb", 3, false },
		{ "a.b", "a\rb", 3, true },
		{ "^.$", "\xc3\xa9", 2, false },
		{ "^..$", "\xc3\xa9", 2, true },
		{ "\\xff", "\xfe\xff", 2, true },
		{ "^$", "", 0, true },
		{ "x", "", 0, false },
		{ "a$", "a\r", 2, false },
		{ "\\w", "\xe9", 1, false },
	};
	struct matcher *matcher = matcher_create(interprets);
	cr_assert(matcher);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct pattern pattern;
		open_pattern(&pattern, known[i].pattern);
		cr_expect_eq(pattern.machine_code, !interprets);
		cr_expect_gt(pattern_cost(&pattern), 0);
		cr_expect_eq(pattern_matches(&pattern, matcher, known[i].content, known[i].size),
			known[i].matches, "%s", known[i].pattern);
		pattern_close(&pattern);
	}
	cr_expect_eq(matcher_errors(matcher), 0);
	matcher_destroy(matcher);
}

Test(pattern, sees_bytes)
{
	check_bytes(false);
}

Test(pattern, sees_bytes_without_machine_code)
{
	pattern_refuse_machine_code_for_tests();
	check_bytes(true);
}

/* A pattern that needs more and more memory, until its limit; then an easy one again. */
static void check_limits(bool interprets)
{
	enum { SIZE = 1 << 20 };
	char *content = malloc(SIZE);
	struct matcher *matcher = matcher_create(interprets);
	struct pattern hungry, slow, easy;
	cr_assert(content && matcher);
	memset(content, 'a', SIZE);
	open_pattern(&hungry, "^(?:(a)|b)*(?:(a)|b)*c");
	open_pattern(&slow, "^(a+)+$");
	open_pattern(&easy, "a{3}");
	struct mallinfo2 before = mallinfo2();
	for (size_t size = 10; size <= SIZE; size *= 4)
		cr_expect_not(pattern_matches(&hungry, matcher, content, size));
	cr_expect_gt(matcher_errors(matcher), 0);
	uint64_t errors = matcher_errors(matcher);
	content[40] = 'b';
	cr_expect_not(pattern_matches(&slow, matcher, content, 41));
	cr_expect_eq(matcher_errors(matcher), errors + 1);
	cr_expect(pattern_matches(&easy, matcher, content, 3));
	cr_expect_eq(matcher_errors(matcher), errors + 1);
	struct mallinfo2 after = mallinfo2();
	cr_expect_eq(before.uordblks + before.hblkhd, after.uordblks + after.hblkhd);
	cr_expect_geq(matcher_cost(matcher), 256 * 1024);
	pattern_close(&hungry);
	pattern_close(&slow);
	pattern_close(&easy);
	matcher_destroy(matcher);
	free(content);
}

Test(pattern, gives_up_at_its_limits_and_allocates_nothing)
{
	check_limits(false);
}

Test(pattern, gives_up_at_its_limits_without_machine_code)
{
	pattern_refuse_machine_code_for_tests();
	check_limits(true);
}

Test(pattern, that_does_not_compile_is_a_fault_with_its_offset)
{
	struct pattern pattern;
	struct bytes bytes = { .data = "foo(bar", .size = 7 };
	cr_assert_not(pattern_open(&pattern, &bytes, false, "the pattern ", &faults));
	cr_expect_str_eq(faults.items[0].message, "the pattern does not compile: missing closing "
						  "parenthesis, at byte 7 of the pattern");
	pattern_close(&pattern);
	bytes = (struct bytes){ .data = "(*UTF)a", .size = 7 };
	cr_assert_not(pattern_open(&pattern, &bytes, false, "pattern 2 of 3 ", &faults));
	cr_expect(strstr(faults.items[1].message, "pattern 2 of 3 does not compile: using UTF"));
	faults_close(&faults);
}
