/* Variables: what they become, and what is refused. */
#include "config/resolve.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct example_wrong wrongs[] = {
	{ "{'a':'${UNSET_VARIABLE}'}", 1, 6, "/a", "the variable UNSET_VARIABLE is not set",
		"set UNSET_VARIABLE, or write ${UNSET_VARIABLE:-default}" },
	{ "{'a':['x','${UNSET_VARIABLE}y']}", 1, 11, "/a/1",
		"the variable UNSET_VARIABLE is not set",
		"set UNSET_VARIABLE, or write ${UNSET_VARIABLE:-default}" },
	{ "{'a':'${UNSET_VARIABLE:?where the relay is}'}", 1, 6, "/a",
		"UNSET_VARIABLE: where the relay is", "set UNSET_VARIABLE" },
	{ "{'a':'${EMPTY_VARIABLE:?it may not be empty}'}", 1, 6, "/a",
		"EMPTY_VARIABLE: it may not be empty", "set EMPTY_VARIABLE" },
	{ "{'a':'${UNSET_VARIABLE:?}'}", 1, 6, "/a", "the variable UNSET_VARIABLE is not set",
		"set UNSET_VARIABLE" },
	{ "{'a':'${'}", 1, 6, "/a", "'${' is not a variable",
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$" },
	{ "{'a':'${}'}", 1, 6, "/a", "'${}' is not a variable",
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$" },
	{ "{'a':'${1A}'}", 1, 6, "/a", "'${1A}' is not a variable",
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$" },
	{ "{'a':'b${A-x}'}", 1, 6, "/a", "'${A-x}' is not a variable",
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$" },
	{ "{'a':'${A:x}'}", 1, 6, "/a", "'${A:x}' is not a variable",
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$" },
	{ "{'a':'${A:-${B}}'}", 1, 6, "/a", "a variable inside of ${A}",
		"write the default without a variable" },
};

Test(resolve, wrong_variables)
{
	setenv("EMPTY_VARIABLE", "", 1);
	unsetenv("UNSET_VARIABLE");
	example_expect_all(wrongs, sizeof(wrongs) / sizeof(wrongs[0]));
}

struct resolved {
	const char *json, *text;
	bool stands_in;
};

static void expect_resolved(const struct resolved *resolved)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, resolved->json, true, &faults), "%s", resolved->json);
	cr_expect_str_eq(document.root->text, resolved->text);
	cr_expect_eq(document.root->size, strlen(resolved->text));
	cr_expect_eq(document.root->stands_in, resolved->stands_in, "%s", resolved->json);
	cr_expect_not(document.root->unknown);
	faults_close(&faults);
	document_close(&document);
}

Test(resolve, strings)
{
	static const struct resolved all[] = {
		{ "'${HERE}'", "a ${X} $$", true },
		{ "'-${HERE}'", "-a ${X} $$", false },
		{ "'${HERE}${HERE}'", "a ${X} $$a ${X} $$", false },
		{ "'${EMPTY}'", "", true },
		{ "'${EMPTY:-x}'", "x", true },
		{ "'${UNSET:-}'", "", true },
		{ "'${UNSET:-a:b-c?d $ e}f'", "a:b-c?d $ ef", false },
		{ "'${HERE:-x}'", "a ${X} $$", true },
		{ "'${HERE:?x}'", "a ${X} $$", true },
		{ "'$$'", "$", false },
		{ "'$${HERE}'", "${HERE}", false },
		{ "'$$$${'", "$${", false },
		{ "'^a$|b$'", "^a$|b$", false },
		{ "'$HERE $(HERE) $'", "$HERE $(HERE) $", false },
		{ "'\\u0024{HERE}'", "a ${X} $$", true },
	};
	setenv("HERE", "a ${X} $$", 1);
	setenv("EMPTY", "", 1);
	unsetenv("UNSET");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect_resolved(&all[i]);
}

Test(resolve, keys_and_comments_are_left)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(
		&document, "{'${UNSET}': 1, '//': '${UNSET}', '//x': ['${']}", true, &faults));
	cr_expect_not_null(value_member(document.root, "${UNSET}"));
	faults_close(&faults);
	document_close(&document);
}

Test(resolve, every_unset_variable_is_told)
{
	struct faults faults = { 0 };
	struct document document;
	unsetenv("UNSET");
	cr_expect_not(example_parse(
		&document, "['${UNSET}', {'a': '${UNSET} ${UNSET}'}]", true, &faults));
	cr_expect_eq(faults.count, 3);
	cr_assert_not_null(document.root);
	cr_expect(document.root->first->unknown);
	faults_close(&faults);
	document_close(&document);
}

Test(resolve, unresolved_is_unknown)
{
	struct faults faults = { 0 };
	struct document document;
	unsetenv("UNSET");
	cr_expect(example_parse(&document,
		"['${UNSET}', 'a${UNSET:?x}', '$$', {'$file': '/nonexistent'}, {'$credential': "
		"'x'}]",
		false, &faults));
	cr_expect_eq(faults.count, 0);
	const struct value *at = document.root->first;
	cr_expect(at->unknown && at->stands_in);
	cr_expect_str_eq(at->text, "${UNSET}");
	at = at->next;
	cr_expect(at->unknown && !at->stands_in);
	at = at->next;
	cr_expect_not(at->unknown);
	cr_expect_str_eq(at->text, "$");
	for (at = at->next; at != NULL; at = at->next)
		cr_expect(at->unknown && at->secret && at->kind == VALUE_STRING);
	faults_close(&faults);
	document_close(&document);
}

Test(resolve, unresolved_forms_are_still_judged)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect_not(example_parse(&document, "['${', {'$file': 1}]", false, &faults));
	cr_expect_eq(faults.count, 2);
	faults_close(&faults);
	document_close(&document);
}
