/* Differences as they are shown. */
#include "daemon/differences.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *due, const char *found, const char *shown)
{
	struct lines one = lines_of(due, strlen(due)), other = lines_of(found, strlen(found));
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	differences_print(out, &one, &other);
	fclose(out);
	cr_expect_str_eq(text, shown);
	cr_expect_eq(lines_equal(&one, &other), strcmp(due, found) == 0);
	free(text);
	free(one.items);
	free(other.items);
}

Test(differences, lines_that_are_missing_and_new)
{
	expect("a\nb\nc\n", "a\nc\n", "      \"a\\n\"\n    - \"b\\n\"\n      \"c\\n\"\n");
	expect("a\nc\n", "a\nb\nc\n", "      \"a\\n\"\n    + \"b\\n\"\n      \"c\\n\"\n");
	expect("a\nb\n", "a\nx\n", "      \"a\\n\"\n    - \"b\\n\"\n    + \"x\\n\"\n");
	expect("", "a", "    + \"a\"\n");
	expect("a", "a\n", "    - \"a\"\n    + \"a\\n\"\n");
}

Test(differences, what_is_far_is_left_out)
{
	expect("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\n5\n6\n7\n",
		"      …\n      \"6\\n\"\n      \"7\\n\"\n    - \"8\\n\"\n");
	expect("1\n2\n3\n4\n5\n6\n7\n", "2\n3\n4\n5\n6\n7\n8\n",
		"    - \"1\\n\"\n      \"2\\n\"\n      \"3\\n\"\n      …\n      \"6\\n\"\n"
		"      \"7\\n\"\n    + \"8\\n\"\n");
}

Test(differences, what_is_no_text_is_escaped)
{
	expect("\xff\x01\t\"\\\r\n", "ü\n",
		"    - \"\\xff\\x01\\t\\\"\\\\\\r\\n\"\n    + \"ü\\n\"\n");
}

Test(differences, what_is_common_is_found)
{
	expect("a\nb\nc\nd\n", "b\nx\nd\ne\n",
		"    - \"a\\n\"\n      \"b\\n\"\n    - \"c\\n\"\n    + \"x\\n\"\n"
		"      \"d\\n\"\n    + \"e\\n\"\n");
}

/* More than the table takes: still all of it is told. */
Test(differences, very_many_lines)
{
	enum { MANY = 3000 };
	struct lines one = { calloc(MANY, sizeof(struct line)), MANY };
	struct lines other = { calloc(MANY, sizeof(struct line)), MANY };
	char *text;
	size_t size, minus = 0, plus = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out && one.items && other.items);
	for (size_t i = 0; i < MANY; i++) {
		one.items[i] = (struct line){ "a", 1 };
		other.items[i] = (struct line){ "b", 1 };
	}
	differences_print(out, &one, &other);
	fclose(out);
	for (const char *at = text; (at = strstr(at, "    - \"a\"\n")); at++)
		minus++;
	for (const char *at = text; (at = strstr(at, "    + \"b\"\n")); at++)
		plus++;
	cr_expect_eq(minus, MANY);
	cr_expect_eq(plus, MANY);
	free(text);
	free(one.items);
	free(other.items);
}
