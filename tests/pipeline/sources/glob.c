/* Globs: which paths match, which directories lead to matches, and what braces come to. */

#include "pipeline/sources/glob.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct tried {
	const char *pattern, *path;
	unsigned result;
};

Test(glob, matches_and_leads)
{
	enum { BOTH = GLOB_MATCHES | GLOB_LEADS };
	static const struct tried all[] = {
		{ "a", "a", GLOB_MATCHES },
		{ "a", "b", 0 },
		{ "a/b", "a", GLOB_LEADS },
		{ "a/b", "a/b/c", 0 },
		{ "./a//b", "a/./b", GLOB_MATCHES },
		{ "/a", "a", 0 },
		{ "a", "/a", 0 },
		{ "/a/*", "/a/b", GLOB_MATCHES },
		{ "*", "a/b", 0 },
		{ "*.log", "x.log", GLOB_MATCHES },
		{ "*.log", ".log", 0 },
		{ ".*", ".log", GLOB_MATCHES },
		{ "a?c", "abc", GLOB_MATCHES },
		{ "a[!b]c", "abc", 0 },
		{ "a\\*", "a*", GLOB_MATCHES },
		{ "a\\*", "ab", 0 },
		{ "**", "a", BOTH },
		{ "a/**", "a/b/c", BOTH },
		{ "**/a", "a", BOTH },
		{ "**/a", "b", GLOB_LEADS },
		{ "**/a", "b/a", BOTH },
		{ "**/a", "b/.c", 0 },
		{ "**/a", ".b/a", 0 },
		{ "**/a/b", "x/a/a/b", BOTH },
		{ "**/a/b", "x/a/c/b", GLOB_LEADS },
		{ "a/**/b", "a/b", BOTH },
		{ "a/**/b", "b", 0 },
		{ "a/**/b/**/c", "a/x/b/y/z/c", BOTH },
		{ "a/**/b/**/c", "a/x/y/z/c", GLOB_LEADS },
		{ "x/*/y", "x/z", GLOB_LEADS },
		{ "x/*/y", "z/z", 0 },
		{ "**/a", "/b/a", BOTH },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		cr_expect_eq(glob_match(all[i].pattern, all[i].path, false), all[i].result,
			"%s on %s: %u", all[i].pattern, all[i].path,
			glob_match(all[i].pattern, all[i].path, false));
}

Test(glob, dots_are_like_others_where_told)
{
	cr_expect(glob_match("*.log", ".log", true) & GLOB_MATCHES);
	cr_expect(glob_match("**/a", ".b/.c/a", true) & GLOB_MATCHES);
}

Test(glob, a_name_of_any_length)
{
	char name[5000];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = 'a';
	name[sizeof(name) - 1] = '\0';
	cr_expect_eq(glob_match("*", name, false), 0, "no file has such a name");
	cr_expect_eq(glob_match(name, "a", false), 0);
}

Test(glob, tells_patterns_from_paths)
{
	cr_expect_not(glob_is_pattern("/var/log/a.log"));
	cr_expect(glob_is_pattern("a*"));
	cr_expect(glob_is_pattern("a?"));
	cr_expect(glob_is_pattern("[ab]"));
	cr_expect(glob_is_pattern("{a,b}"));
}

Test(glob, fixed_directories)
{
	cr_expect_eq(glob_fixed_directory("*.log"), 0);
	cr_expect_eq(glob_fixed_directory("a.log"), 0);
	cr_expect_eq(glob_fixed_directory("/a.log"), 1);
	cr_expect_eq(glob_fixed_directory("/var/log/*.log"), 8);
	cr_expect_eq(glob_fixed_directory("/var//log*/a"), 4);
	cr_expect_eq(glob_fixed_directory("/var/log/a.log"), 8);
}

static void assert_expands(const char *pattern, const char *const *expected)
{
	char **list = glob_expand(pattern);

	cr_assert(list, "%s", pattern);
	for (size_t i = 0; expected[i]; i++) {
		cr_assert(list[i]);
		cr_expect_str_eq(list[i], expected[i]);
		free(list[i]);
	}
	free(list);
}

Test(glob, braces)
{
	assert_expands("a{b,c}d", (const char *const[]){ "abd", "acd", NULL });
	assert_expands("{,x}", (const char *const[]){ "", "x", NULL });
	assert_expands("{a,b{c,d}}", (const char *const[]){ "a", "b{c,d}", NULL });
	assert_expands("{x}{a,b}", (const char *const[]){ "{x}a", "{x}b", NULL });
	assert_expands("{a\\,b,c}", (const char *const[]){ "a\\,b", "c", NULL });
	cr_expect_null(glob_expand("a"));
	cr_expect_null(glob_expand("{a}"));
	cr_expect_null(glob_expand("{a,b"));
	cr_expect_null(glob_expand("\\{a,b}"));
}
