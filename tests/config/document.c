/* Documents: the tree, its places, and what cJSON would have let show. */
#include "config/document.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct example_wrong duplicates[] = {
	{ "{'a':1,'b':2,\n 'a':3}", 2, 2, "/a", "duplicate key 'a': the first one is in line 1",
		"remove one of them" },
	{ "{'a':{'b':1,'c':2,'b':3}}", 1, 19, "/a/b",
		"duplicate key 'b': the first one is in line 1", "remove one of them" },
	{ "{'x/y':{'m~n':[0,{'a':1,'a':2}]}}", 1, 25, "/x~1y/m~0n/1/a",
		"duplicate key 'a': the first one is in line 1", "remove one of them" },
};

Test(document, duplicate_keys)
{
	example_expect_all(duplicates, sizeof(duplicates) / sizeof(duplicates[0]));
}

Test(document, duplicates_leave_the_first)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect_not(example_parse(&document, "{'a': 1, 'b': 2, 'a': 3, 'a': 4}", true, &faults));
	cr_expect_eq(faults.count, 2);
	cr_assert_not_null(document.root);
	cr_expect_eq(value_count(document.root), 2);
	cr_expect_str_eq(value_member(document.root, "a")->text, "1");
	faults_close(&faults);
	document_close(&document);
}

Test(document, names_have_case)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, "{'a': 1, 'A': 2}", true, &faults));
	cr_expect_str_eq(value_member(document.root, "A")->text, "2");
	cr_expect_null(value_member(document.root, "b"));
	cr_expect_null(value_member(document.root->first, "a"));
	cr_expect_null(value_member(NULL, "a"));
	faults_close(&faults);
	document_close(&document);
}

Test(document, comments_are_invisible)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document,
		"{'//': 1, 'a': [{'//': {'x': 1, 'x': 2}}, 1], '//': 2, '\\/\\/x': 3, '/': 4}",
		true, &faults));
	cr_expect_eq(value_count(document.root), 2);
	cr_expect_eq(value_count(value_member(document.root, "a")), 2);
	cr_expect_eq(value_count(value_member(document.root, "a")->first), 0);
	faults_close(&faults);
	document_close(&document);
}

static void expect_place(const struct value *value, const char *text)
{
	const char *start = value->document->text + value->offset;
	cr_expect_eq(value->end - value->offset, strlen(text), "%s", text);
	cr_expect_eq(strncmp(start, text, strlen(text)), 0, "%s", text);
}

Test(document, values_know_their_places)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(
		&document, " { 'a' : [ 1.50 , 'x\\n' , {} ] , 'b':null}", true, &faults));
	const struct value *list = value_member(document.root, "a");
	expect_place(document.root, "{ \"a\" : [ 1.50 , \"x\\n\" , {} ] , \"b\":null}");
	expect_place(list, "[ 1.50 , \"x\\n\" , {} ]");
	expect_place(list->first, "1.50");
	expect_place(list->first->next, "\"x\\n\"");
	expect_place(list->first->next->next, "{}");
	expect_place(list->next, "null");
	cr_expect_eq(list->key_offset, 3);
	cr_expect_eq(list->key_end, 6);
	cr_expect_eq(list->first->next->next->index, 2);
	cr_expect_eq(list->first->parent, list);
	cr_expect_null(document.root->parent);
	faults_close(&faults);
	document_close(&document);
}

Test(document, numbers_are_as_written)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, "[18446744073709551615, 1.50, -0, 1E2]", true, &faults));
	static const char *const written[] = { "18446744073709551615", "1.50", "-0", "1E2" };
	size_t i = 0;
	for (const struct value *at = document.root->first; at != NULL; at = at->next)
		cr_expect_str_eq(at->text, written[i++]);
	cr_expect_eq(document.root->first->next->next->next->number, 100.0);
	faults_close(&faults);
	document_close(&document);
}

Test(document, kinds_have_names)
{
	cr_expect_str_eq(value_kind_name(VALUE_NULL), "null");
	cr_expect_str_eq(value_kind_name(VALUE_BOOL), "a boolean");
	cr_expect_str_eq(value_kind_name(VALUE_NUMBER), "a number");
	cr_expect_str_eq(value_kind_name(VALUE_STRING), "a string");
	cr_expect_str_eq(value_kind_name(VALUE_LIST), "a list");
	cr_expect_str_eq(value_kind_name(VALUE_OBJECT), "an object");
}

Test(document, a_bare_name_as_an_object)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, "['tcp']", true, &faults));
	const struct value *object = value_as_object(document.root->first);
	struct example_tcp state;
	cr_expect_not(options_read(example_tcp_options, object, "tcp", &state, &faults));
	static const struct example_wrong missing = { "['tcp']", 1, 2, "/0",
		"'listen' is missing in tcp", "add 'listen': '127.0.0.1:5140'" };
	example_expect(&faults, &missing);
	faults_close(&faults);
	document_close(&document);
}

Test(document, reads_a_file)
{
	struct faults faults = { 0 };
	struct document document;
	unsetenv("RELAY");
	cr_expect(document_read(&document, "tests/config/data/sample.json", true, &faults));
	cr_expect_eq(faults.count, 0);
	cr_expect_str_eq(document.name, "tests/config/data/sample.json");
	cr_expect_eq(value_count(document.root), 3);
	cr_expect_str_eq(document_path(&document, "x.txt"), "tests/config/data/x.txt");
	cr_expect_str_eq(document_path(&document, "/x.txt"), "/x.txt");
	faults_close(&faults);
	document_close(&document);
}

Test(document, reads_standard_input)
{
	int file = open("tests/config/data/sample.json", O_RDONLY);
	cr_assert_geq(file, 0);
	cr_assert_eq(dup2(file, STDIN_FILENO), STDIN_FILENO);
	struct faults faults = { 0 };
	struct document document;
	cr_expect(document_read(&document, "-", false, &faults));
	cr_expect_str_eq(document.name, "<stdin>");
	cr_expect_str_eq(document_path(&document, "x.txt"), "x.txt");
	faults_close(&faults);
	document_close(&document);
	close(file);
}

static void expect_unreadable(const char *path, const char *message)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect_not(document_read(&document, path, true, &faults));
	cr_expect_null(document.root);
	cr_assert_eq(faults.count, 1);
	cr_expect_null(faults.items[0].file);
	cr_expect_str_eq(faults.items[0].message, message);
	faults_close(&faults);
	document_close(&document);
}

Test(document, unreadable_files)
{
	expect_unreadable(
		"/nonexistent.json", "cannot read /nonexistent.json: No such file or directory");
	expect_unreadable("/", "cannot read /: Is a directory");
	expect_unreadable("/dev/zero", "cannot read /dev/zero: more than 16MiB");
}

/* Reads options from what came out as well, as a whole run would. True if the text was JSON. */
static bool read_any(const char *text, size_t size)
{
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	bool good = document_parse(&document, EXAMPLE_NAME, text, size, true, &faults);
	cr_assert_eq(good, faults.errors == 0);
	bool parsed = document.root != NULL;
	if (parsed)
		options_read(example_options, document.root, "filter", &state, &faults);
	faults_sort(&faults);
	for (size_t i = 0; i < faults.count; i++)
		free(fault_text(&faults.items[i]));
	free(faults_json(&faults));
	faults_close(&faults);
	document_close(&document);
	return parsed;
}

static char *read_sample(size_t *size)
{
	FILE *file = fopen("tests/config/data/sample.json", "r");
	cr_assert_not_null(file);
	char *text = malloc(8192);
	cr_assert_not_null(text);
	*size = fread(text, 1, 8192, file);
	fclose(file);
	return text;
}

Test(document, every_truncation_is_refused)
{
	size_t size;
	char *sample = read_sample(&size);
	for (size_t end = 0; end + 2 < size; end++) {
		/* Its own allocation, so that a read behind the end is seen. */
		char *text = malloc(end + 1);
		cr_assert_not_null(text);
		memcpy(text, sample, end);
		cr_expect_not(read_any(text, end), "%zu bytes", end);
		free(text);
	}
	free(sample);
}

Test(document, mutations_never_crash)
{
	enum { ROUNDS = 1000 };
	const char *given = getenv("SEED");
	unsigned seed = given == NULL ? (unsigned)time(NULL) : (unsigned)strtoul(given, NULL, 10);
	printf("document: mutations with SEED=%u\n", seed);
	fflush(stdout);
	size_t size;
	char *sample = read_sample(&size), *text = malloc(size);
	cr_assert_not_null(text);
	static const char likely[] = "{}[]\",:\\/u0d8$ -.e\n\t\0\xff\xc3";
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(text, sample, size);
		for (int i = rand_r(&seed) % 4; i >= 0; i--) {
			size_t at = (size_t)rand_r(&seed) % size;
			bool any = rand_r(&seed) % 2 == 0;
			int byte = any ? rand_r(&seed)
				       : likely[(size_t)rand_r(&seed) % sizeof(likely)];
			text[at] = (char)byte;
		}
		read_any(text, size);
	}
	free(text);
	free(sample);
}
