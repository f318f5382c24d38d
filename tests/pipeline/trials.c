/* The "tests" of a configuration, as they are read: what they name must be there. */
#include "pipeline/trials.h"

#include "tests/pipeline/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char configuration[] =
	"{ 'pipelines': {"
	" 'errors': { 'from': [ { 'tcp': ':514' }, { 'tcp': ':515', 'name': 'other' },"
	"   { 'file': 'x', 'enabled': false } ], 'stages': [ 'split' ],"
	"   'to': [ 'stdout', { 'to': [ 'null', { 'tcp': 'a:1' } ] } ] },"
	" 'more': { 'from': 'stdin', 'to': 'null' } },\n'tests': %s }";

static void read_tests(struct planned *planned, const char *tests)
{
	char text[2000];
	snprintf(text, sizeof(text), configuration, tests);
	kinds_plan(planned, text);
}

static void expect(const char *tests, const char *due)
{
	struct planned planned;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	cr_assert(out);
	read_tests(&planned, tests);
	for (size_t i = 0; i < planned.faults.count; i++) {
		const struct fault *fault = &planned.faults.items[i];
		fprintf(out, "%u:%u %s: %s [%s]\n", fault->line, fault->column, fault->pointer,
			fault->message, fault->remedy ? fault->remedy : "");
	}
	fclose(out);
	cr_expect_str_eq(text, due, "%s gives:\n%s", tests, text);
	cr_expect_eq(planned.plan == NULL, *due != '\0');
	free(text);
	kinds_close(&planned);
}

Test(trials, what_is_read, .init = kinds_add)
{
	struct planned planned;
	read_tests(&planned, "[ { 'name': 'one', 'pipeline': 'errors', 'in': ['a\\n', {'hex': "
			     "'00ff'}], 'out': {'errors.to.0': ['a'], 'to.1.to.1': []} },"
			     "{ 'name': 'two', 'pipeline': 'more', 'in': {'from.0': []}, 'out': "
			     "{'//': 'x', 'to.0': []} } ]");
	cr_assert_not_null(planned.plan);
	cr_assert_eq(planned.plan->trial_count, 2);
	const struct trial *one = &planned.plan->trials[0];
	cr_expect_str_eq(one->name, "one");
	cr_expect_str_eq(one->pipeline->name, "errors");
	cr_expect_eq(one->in_count, 1);
	cr_expect_str_eq(one->in[0].node, "errors.from.0");
	cr_expect_eq(one->in[0].count, 2);
	cr_expect_eq(one->in[0].items[1].size, 2);
	cr_expect_eq(one->out_count, 2);
	cr_expect_str_eq(one->out[1].node, "errors.to.1.to.1");
	cr_expect_eq(one->out[1].count, 0);
	cr_expect_str_eq(planned.plan->trials[1].in[0].node, "more.from.0");
	kinds_close(&planned);
}

Test(trials, names_that_are_not_there, .init = kinds_add)
{
	expect("[{'name': 'a', 'pipeline': 'errrors', 'in': [], 'out': {'to.0': []}}]",
		"2:37 /tests/0/pipeline: there is no pipeline \"errrors\" [write \"errors\"]\n");
	expect("[{'name': 'a', 'pipeline': 'x', 'in': [], 'out': {'to.0': []}}]",
		"2:37 /tests/0/pipeline: there is no pipeline \"x\" [name a pipeline of this "
		"configuration]\n");
	expect("[{'name': 'a', 'pipeline': 'errors', 'in': {'from.2': []}, 'out': "
	       "{'errors.to.1.to.9': [], 'errors.split': [], 'to.0': [], 'errors.to.0': []}}]",
		"2:54 /tests/0/in/from.2: the pipeline \"errors\" has no source \"from.2\" [known "
		"here: \"errors.from.0\" or \"errors.from.other\"]\n"
		"2:77 /tests/0/out/errors.to.1.to.9: the pipeline \"errors\" has no sink "
		"\"errors.to.1.to.9\" [write \"errors.to.1.to.0\"]\n"
		"2:101 /tests/0/out/errors.split: the pipeline \"errors\" has no sink "
		"\"errors.split\" [known here: \"errors.to.0\", \"errors.to.1.to.0\" or "
		"\"errors.to.1.to.1\"]\n"
		"2:133 /tests/0/out/errors.to.0: \"errors.to.0\" is named twice [leave one of them "
		"out]\n");
	expect("[{'name': 'a', 'pipeline': 'more', 'in': [], 'out': {'to.0': []}},\n"
	       " {'name': 'a', 'pipeline': 'more', 'in': [], 'out': {'to.0': []}}]",
		"3:11 /tests/1/name: there are two tests with the name \"a\" [give one of them "
		"another name]\n");
}

Test(trials, what_follows_a_name_that_is_not_there, .init = kinds_add)
{
	expect("[{'name': 'a', 'pipeline': 'more', 'in': {'x': ['1', '2', '3', '4', '5'], 'y': "
	       "['6'], 'from.0': ['7']}, 'out': {'to.0': []}}]",
		"2:52 /tests/0/in/x: the pipeline \"more\" has no source \"x\" [known here: "
		"\"more.from.0\"]\n"
		"2:84 /tests/0/in/y: the pipeline \"more\" has no source \"y\" [known here: "
		"\"more.from.0\"]\n");
}

Test(trials, what_is_missing_or_of_a_wrong_kind, .init = kinds_add)
{
	expect("{}", "2:10 /tests: a list is due for \"tests\", not an object [write [ … ]]\n");
	expect("[1]", "2:11 /tests/0: a test is an object, not a number [write {\"name\": …, "
		      "\"pipeline\": …, \"in\": …, \"out\": …}]\n");
	expect("[{'name': 'a', 'pipeline': 'more'}]",
		"2:11 /tests/0: a test has to have \"in\" [add \"in\": [\"a line\\n\"]]\n"
		"2:11 /tests/0: a test says in \"out\" what comes out of a sink, or more [add "
		"\"out\": { \"more.to.0\": [\"a line\\n\"] }]\n");
	expect("[{'name': 'a', 'pipeline': 'more', 'in': 'x', 'out': {'to.0': 'x', '//': 1}}]",
		"2:51 /tests/0/in: a list is due for \"in\", not a string [write a list of "
		"strings, such as [\"one\\n\", \"two\\n\"]]\n"
		"2:72 /tests/0/out/to.0: a list is due for \"to.0\", not a string [write a list of "
		"strings, such as [\"one\\n\", \"two\\n\"]]\n");
	expect("[{'name': 'a', 'pipeline': 'more', 'in': ['', 1, {'$file': "
	       "'tests/config/data/secret.txt'}], 'out': []}]",
		"2:52 /tests/0/in/0: an empty string for \"in\" [write at least one byte]\n"
		"2:56 /tests/0/in/1: a string or {\"hex\": …} is due for \"in\", not a number "
		"[write \"text\"]\n"
		"2:59 /tests/0/in/2: a test cannot hold secrets [write the bytes out]\n"
		"2:110 /tests/0/out: an object is due for \"out\", not a list [add \"out\": { "
		"\"more.to.0\": [\"a line\\n\"] }]\n");
	expect("[{'name': 'a', 'pipelin': 'more', 'in': [], 'out': {'to.0': []}}]",
		"2:11 /tests/0: \"pipeline\" is missing in a test [add \"pipeline\": "
		"\"errors\"]\n"
		"2:25 /tests/0/pipelin: unknown key \"pipelin\" in a test [write "
		"\"pipeline\"]\n");
}
