/* Secrets: read from files, without one newline, never shown. */
#include "config/secret.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct example_wrong wrongs[] = {
	{ "{'a':{'$file':'/nonexistent/secret'}}", 1, 15, "/a/$file",
		"cannot read /nonexistent/secret: No such file or directory",
		"name a file that can be read" },
	{ "{'a':{'$file':'/'}}", 1, 15, "/a/$file", "cannot read /: Is a directory",
		"name a file that can be read" },
	{ "{'a':{'$file':1}}", 1, 15, "/a/$file", "a string is due for '$file', not a number",
		"write {'$file': '/run/secrets/key'}" },
	{ "{'a':{'$file':''}}", 1, 15, "/a/$file", "a string is due for '$file', not an empty one",
		"write {'$file': '/run/secrets/key'}" },
	{ "{'a':{'$file':'x','more':1}}", 1, 19, "/a/more", "'$file' stands alone in its object",
		"leave it out" },
	{ "{'a':{'$credential':'key'}}", 1, 21, "/a/$credential",
		"CREDENTIALS_DIRECTORY is not set: there are no credentials",
		"have systemd set it: LoadCredential=key:PATH" },
	{ "{'a':{'$credential':'../key'}}", 1, 21, "/a/$credential",
		"'../key' is no credential`s name", "write its name alone" },
};

Test(secret, wrong_secrets)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	example_expect_all(wrongs, sizeof(wrongs) / sizeof(wrongs[0]));
}

static void expect_secret(const char *json, const char *text)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, json, true, &faults), "%s", json);
	cr_expect_eq(document.root->kind, VALUE_STRING);
	cr_expect(document.root->secret);
	cr_expect_str_eq(document.root->text, text);
	faults_close(&faults);
	document_close(&document);
}

Test(secret, loses_one_newline)
{
	expect_secret("{'$file': 'secret.txt'}", "hunter2\n");
	setenv("CREDENTIALS_DIRECTORY", "tests/config/data", 1);
	expect_secret("{'$credential': 'secret.txt'}", "hunter2\n");
	setenv("SECRET_NAME", "secret", 1);
	expect_secret("{'//': 'comment', '$file': '${SECRET_NAME}.txt'}", "hunter2\n");
}

/* Whatever an option makes of a wrong secret, what it holds is in no fault. */
static void expect_unseen(const char *option)
{
	char text[96];
	snprintf(text, sizeof(text), "{'%s': {'$file': 'secret.txt'}}", option);
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	cr_assert(example_parse(&document, text, true, &faults));
	cr_expect_not(options_read(example_options, document.root, "filter", &state, &faults), "%s",
		text);
	for (size_t i = 0; i < faults.count; i++) {
		char *shown = fault_text(&faults.items[i]);
		cr_expect_null(strstr(shown, "hunter"), "%s", shown);
		free(shown);
	}
	faults_close(&faults);
	document_close(&document);
}

Test(secret, is_never_shown)
{
	static const char *const options[] = { "flag", "count", "any_count", "size", "wait", "on",
		"listen", "connect", "retry", "any" };
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		expect_unseen(options[i]);
}

static void expect_number_unseen(const char *option)
{
	char text[96];
	snprintf(text, sizeof(text), "{'%s': {'$file': 'number.txt'}}", option);
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	cr_assert(example_parse(&document, text, true, &faults));
	cr_expect_not(options_read(example_options, document.root, "filter", &state, &faults), "%s",
		text);
	char *shown = faults_json(&faults);
	cr_expect_null(strstr(shown, "99999"), "%s", shown);
	free(shown);
	faults_close(&faults);
	document_close(&document);
}

Test(secret, numbers_are_not_shown_in_remedies)
{
	static const char *const options[] = { "count", "any_count", "size", "wait", "listen",
		"connect" };
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		expect_number_unseen(options[i]);
}

Test(secret, stands_for_a_string)
{
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	cr_assert(example_parse(&document,
		"{'label': {'$file': 'secret.txt'}, 'contains': [{'$file': 'secret.txt'}],"
		" 'delimiter': {'hex': {'$file': 'hex.txt'}}}",
		true, &faults));
	cr_expect(options_read(example_options, document.root, "filter", &state, &faults));
	cr_expect_str_eq(state.label, "hunter2\n");
	cr_expect_eq(state.contains.items[0].size, 8);
	cr_expect_eq(state.delimiter.size, 2);
	faults_close(&faults);
	document_close(&document);
}
