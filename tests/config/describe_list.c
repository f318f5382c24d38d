/* `list` and the reference say what the tables say. */
#include "config/describe.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_in(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "%s\nis not in\n%s", part, text);
}

Test(describe_list, all_kinds)
{
	char *text = describe_list(&example_catalogue, NULL);
	cr_expect_str_eq(text,
		"sources\n"
		"  tcp              Takes connections.\n"
		"  stdin            Reads standard input.\n"
		"stages\n"
		"  filter           Keeps what matches.\n"
		"sinks\n"
		"  null             Lets go of everything.\n"
		"  tcp              Connects.\n"
		"settings\n"
		"  service          The daemon.\n"
		"  pipeline         A pipeline, beside its `from`, `stages` and `to`.\n"
		"  branch           What stands in `to`, beside its kind.\n");
	free(text);
}

Test(describe_list, settings)
{
	char *text = describe_list(&example_catalogue, "branch");
	cr_expect_str_eq(text,
		"branch (settings): What stands in `to`, beside its kind.\n\n"
		"  when_full        block or drop                        default block\n"
		"                     What happens when it cannot take more.\n");
	free(text);
	cr_expect_null(describe_list(&example_catalogue, "tests"), "this catalogue has none");
}

Test(describe_list, names_each_once)
{
	static const char *const due[] = { "tcp", "stdin", "filter", "null", "service", "pipeline",
		"branch", NULL };
	const char *names[DESCRIBED_MOST];
	size_t i = 0;
	describe_names(&example_catalogue, names);
	for (; due[i] != NULL && names[i] != NULL; i++)
		cr_expect_str_eq(names[i], due[i]);
	cr_expect_eq(names[i], due[i]);
}

Test(describe_list, no_such_kind)
{
	cr_expect_null(describe_list(&example_catalogue, "grep"));
	cr_expect_null(describe_list(&example_catalogue, ""));
}

Test(describe_list, a_kind_that_is_twice)
{
	char *text = describe_list(&example_catalogue, "tcp");
	expect_in(text, "tcp (source): Takes connections.\n");
	expect_in(text, "\ntcp (sink): Connects.\n");
	expect_in(text, "{\"tcp\": {\"listen\": \"127.0.0.1:5140\"}}\n");
	expect_in(text, "required");
	free(text);
}

Test(describe_list, a_kind_without_options)
{
	char *text = describe_list(&example_catalogue, "stdin");
	cr_expect_str_eq(
		text, "stdin (source): Reads standard input.\n\n  no options\n\n  \"stdin\"\n");
	free(text);
}

Test(describe_list, options)
{
	char *text = describe_list(&example_catalogue, "filter");
	expect_in(text, "default 3 (1 to 19)\n");
	expect_in(text, "default 5s (at most 1h)\n");
	expect_in(text, "newline, delimiter, nul or octets");
	expect_in(text, "default newline\n");
	expect_in(text, "default false\n");
	expect_in(text, "  retry.first ");
	cr_expect_null(strstr(text, " \n"));
	expect_in(text, "a list of objects of these options");
	expect_in(text, "required when `on` is `delimiter`");
	expect_in(text, "  {\"filter\": \"ERROR\"}\n");
	cr_expect_null(strstr(text, "not.contains"));
	free(text);
}
