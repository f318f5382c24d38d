/* Faults as a person reads them: the caret stands where it should. */
#include "config/fault.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void parse(struct document *document, const char *name, const char *text)
{
	struct faults faults = { 0 };
	cr_assert(document_parse(document, name, text, strlen(text), true, &faults));
}

static void expect_text(const struct fault *fault, const char *due)
{
	char *text = fault_text(fault);
	cr_expect_str_eq(text, due, "\n%s", text);
	free(text);
}

Test(fault_text, as_documented)
{
	struct faults faults = { 0 };
	struct document document;
	parse(&document, "pipeline.json", "{\n\n\n    \"stages\": [1, { \"grep\": \"x\" }]\n}");
	fault_at_key(&faults, document.root->first->first->next->first, "write \"filter\"",
		"unknown key \"grep\" in a stage");
	expect_text(&faults.items[0], "pipeline.json:4:21: unknown key \"grep\" in a stage\n"
				      "  at /stages/1/grep\n"
				      "    4 |     \"stages\": [1, { \"grep\": \"x\" }]\n"
				      "      |                     ^~~~~~\n"
				      "  remedy: write \"filter\"\n");
	faults_close(&faults);
	document_close(&document);
}

Test(fault_text, without_a_place)
{
	struct faults faults = { 0 };
	fault_at(&faults, NULL, NULL, "the port is in use");
	warning_at(&faults, NULL, "wait", "it is early");
	expect_text(&faults.items[0], "the port is in use\n");
	expect_text(&faults.items[1], "warning: it is early\n  remedy: wait\n");
	faults_close(&faults);
}

Test(fault_text, cells_are_counted_not_bytes)
{
	struct faults faults = { 0 };
	struct document document;
	parse(&document, "a\x1b.json", "[\t\"\xc3\xa9\xe2\x82\xac\xe2\x80\xae\", 12]");
	fault_at(&faults, document.root->first->next, NULL, "wrong");
	fault_at(&faults, document.root->first, NULL, "wrong");
	expect_text(&faults.items[0], "a\\x1b.json:1:15: wrong\n"
				      "  at /1\n"
				      "    1 | [    \"\xc3\xa9\xe2\x82\xac\\u202e\", 12]\n"
				      "      |                  ^~\n");
	expect_text(&faults.items[1], "a\\x1b.json:1:3: wrong\n"
				      "  at /0\n"
				      "    1 | [    \"\xc3\xa9\xe2\x82\xac\\u202e\", 12]\n"
				      "      |      ^~~~~~~~~~\n");
	faults_close(&faults);
	document_close(&document);
}

/* "[0, 0, …, 1, 0, …]" with the one at item 200: column 602. */
static void parse_long(struct document *document)
{
	char text[2048] = "[";
	for (int i = 0; i < 400; i++)
		strcat(text, i == 0 ? "0" : i == 200 ? ", 1" : ", 0");
	strcat(text, "]");
	parse(document, "long.json", text);
}

Test(fault_text, long_lines_are_cut_around_the_place)
{
	struct faults faults = { 0 };
	struct document document;
	parse_long(&document);
	const struct value *one = document.root->first;
	while (one->text[0] == '0')
		one = one->next;
	fault_at(&faults, one, NULL, "wrong");
	expect_text(&faults.items[0],
		"long.json:1:602: wrong\n"
		"  at /200\n"
		"    1 | \xe2\x80\xa6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
		"1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
		"0\xe2\x80\xa6\n"
		"      |                                                    ^\n");
	faults_close(&faults);
	document_close(&document);
}

Test(fault_text, a_cut_never_parts_a_character)
{
	char text[2048] = "[\"";
	for (int i = 0; i < 200; i++)
		strcat(text, "\xf0\x9f\x98\x80");
	strcat(text, "\", 1, \"");
	for (int i = 0; i < 200; i++)
		strcat(text, "\xf0\x9f\x98\x80");
	strcat(text, "\"]");
	for (int shift = 0; shift < 4; shift++) {
		struct faults faults = { 0 };
		struct document document;
		parse(&document, "long.json", text);
		fault_at(&faults, document.root->first->next, NULL, "wrong");
		char *shown = fault_text(&faults.items[0]);
		cr_expect_null(strstr(shown, "\\x"), "%s", shown);
		free(shown);
		faults_close(&faults);
		document_close(&document);
		memmove(text + 1, text, strlen(text) + 1);
		text[0] = ' ';
	}
}
