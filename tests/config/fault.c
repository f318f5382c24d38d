/* Faults: collected, in order, with what is near their place. */
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

Test(fault, outlives_its_document)
{
	struct faults faults = { 0 };
	struct document document;
	parse(&document, "a.json", "{\n\t\"a\": [1, 2]\r\n}");
	char message[] = "two", remedy[] = "write 3";
	const struct value *two = document.root->first->first->next;
	cr_expect_not(fault_at(&faults, two, remedy, "%s is wrong", message));
	cr_expect_not(fault_at_key(&faults, document.root->first, NULL, "so is %d", 1));
	document_close(&document);
	memset(message, 'x', sizeof(message) - 1);
	memset(remedy, 'x', sizeof(remedy) - 1);
	cr_assert_eq(faults.count, 2);
	const struct fault *fault = &faults.items[0];
	cr_expect_str_eq(fault->file, "a.json");
	cr_expect_eq(fault->line, 2);
	cr_expect_eq(fault->column, 11);
	cr_expect_eq(fault->width, 1);
	cr_expect_str_eq(fault->pointer, "/a/1");
	cr_expect_str_eq(fault->source, "\t\"a\": [1, 2]");
	cr_expect_str_eq(fault->message, "two is wrong");
	cr_expect_str_eq(fault->remedy, "write 3");
	cr_expect_eq(faults.items[1].column, 2);
	cr_expect_eq(faults.items[1].width, 3);
	cr_expect_null(faults.items[1].remedy);
	faults_close(&faults);
	cr_expect_eq(faults.count, 0);
}

Test(fault, warnings_do_not_refuse)
{
	struct faults faults = { 0 };
	cr_expect(warning_at(&faults, NULL, NULL, "mind this"));
	cr_expect_eq(faults.errors, 0);
	cr_expect_eq(faults.count, 1);
	cr_expect(faults.items[0].warning);
	cr_expect_null(faults.items[0].file);
	cr_expect_null(faults.items[0].pointer);
	faults_close(&faults);
}

Test(fault, sorted_by_file_and_place)
{
	struct faults faults = { 0 };
	struct document a, b;
	parse(&a, "a.json", "[1, 2]");
	parse(&b, "b.json", "[1, 2]");
	fault_at(&faults, NULL, NULL, "7");
	fault_at(&faults, b.root->first, NULL, "5");
	fault_at(&faults, a.root->first->next, NULL, "3");
	fault_at(&faults, a.root->first->next, NULL, "4");
	fault_at(&faults, b.root->first, NULL, "6");
	fault_at(&faults, a.root->first, NULL, "2");
	fault_at(&faults, a.root, NULL, "1");
	fault_at(&faults, NULL, NULL, "8");
	faults_sort(&faults);
	cr_assert_eq(faults.count, 8);
	for (int i = 0; i < 8; i++)
		cr_expect_eq(faults.items[i].message[0], '1' + i);
	faults_close(&faults);
	document_close(&a);
	document_close(&b);
}

Test(fault, what_is_written_cannot_control_a_terminal)
{
	struct faults faults = { 0 };
	fault_at(&faults, NULL, "write \x1b", "%s", "red \x1b[31m\n\xff");
	cr_expect_str_eq(faults.items[0].message, "red \\x1b[31m\\x0a\\xff");
	cr_expect_str_eq(faults.items[0].remedy, "write \\x1b");
	faults_close(&faults);
}
