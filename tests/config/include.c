/* Included files: whose pipelines are there, and what is said where. */
#include "config/include.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file);
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, file);
	fclose(file);
}

/* Each test has a process, and so a working directory, of its own. */
static void go_somewhere(void)
{
	static char folder[] = "/tmp/viewduct-include-XXXXXX";

	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	cr_assert_eq(mkdir("conf.d", 0700), 0);
}

static void leave(void)
{
	char folder[1000];

	cr_assert(getcwd(folder, sizeof(folder)));
	unlink("conf.d/a.json");
	unlink("conf.d/b.json");
	unlink("conf.d/patterns");
	unlink("main.json");
	cr_expect_eq(rmdir("conf.d"), 0);
	cr_expect_eq(chdir("/"), 0);
	cr_expect_eq(rmdir(folder), 0);
}

static char *told(const struct faults *faults)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		fprintf(out, "%s:%u:%u %s: %s%s [%s]\n", fault->file, fault->line, fault->column,
			fault->pointer, fault->warning ? "warning: " : "", fault->message,
			fault->remedy ? fault->remedy : "");
	}
	fclose(out);
	return text;
}

static bool read_main(struct document *document, struct faults *faults, const char *text)
{
	put("main.json", text);
	cr_assert(document_read(document, "main.json", true, faults));
	return include_files(document, faults);
}

static void expect_told(const char *text, const char *due)
{
	struct document document;
	struct faults faults = { 0 };

	read_main(&document, &faults, text);
	faults_sort(&faults);
	char *found = told(&faults);
	cr_expect_str_eq(found, due, "%s", found);
	free(found);
	faults_close(&faults);
	document_close(&document);
}

/* "a b c" */
static void expect_names(const struct document *document, const char *due)
{
	char names[100] = "";
	const struct value *pipelines = value_member(document->root, "pipelines");

	for (const struct value *at = pipelines->first; at; at = at->next) {
		strcat(names, *names ? " " : "");
		strcat(names, at->key);
	}
	cr_expect_str_eq(names, due);
}

Test(include, pipelines_stand_behind_each_other_by_name_of_file, .init = go_somewhere,
	.fini = leave)
{
	struct document document;
	struct faults faults = { 0 };

	put("conf.d/b.json", "{'pipelines': {'two': 2, 'three': 3}}");
	put("conf.d/a.json", "{'//': 0, '$schema': 'x', 'pipelines': {'//': 0, 'one': 1}}");
	cr_expect(read_main(
		&document, &faults, "{'pipelines': {'zero': 0}, 'include': ['conf.d/*.json']}"));
	expect_names(&document, "zero one two three");
	const struct value *one = value_member(value_member(document.root, "pipelines"), "one");
	cr_expect_str_eq(one->document->name, "conf.d/a.json");
	cr_expect(document_holds(&document, one));
	cr_expect_str_eq(document_place_of_key(one), "conf.d/a.json:1:50");
	cr_expect_str_eq(document_path(one->document, "patterns"), "conf.d/patterns");
	document_close(&document);
	faults_close(&faults);
}

Test(include, alone_it_gives_all_pipelines, .init = go_somewhere, .fini = leave)
{
	struct document document;
	struct faults faults = { 0 };

	put("conf.d/a.json", "{'pipelines': {'one': 1}}");
	cr_expect(read_main(&document, &faults,
		"{'include': ['conf.d/{a,b}.json', 'conf.d/a.json', './conf.d//*']}"));
	expect_names(&document, "one");
	cr_expect_eq(faults.count, 0);
	document_close(&document);
	faults_close(&faults);
}

Test(include, of_a_text_again, .init = go_somewhere, .fini = leave)
{
	struct document document, again;
	struct faults faults = { 0 };

	put("conf.d/a.json", "{'pipelines': {'one': 1}}");
	cr_expect(read_main(&document, &faults, "{'include': 'conf.d/*.json'}"));
	put("conf.d/a.json", "{'pipelines': {'other': 1}}");
	cr_expect(
		document_parse(&again, document.name, document.text, document.size, true, &faults));
	cr_expect(include_again(&again, &document, &faults));
	expect_names(&again, "one");
	cr_expect(value_equal(
		value_member(document.root, "pipelines"), value_member(again.root, "pipelines")));
	cr_expect_not(document_holds(&again, value_member(document.root, "pipelines")->first));
	document_close(&again);
	document_close(&document);
	faults_close(&faults);
}

Test(include, what_is_wrong_is_told_where_it_is, .init = go_somewhere, .fini = leave)
{
	put("conf.d/a.json", "{'pipelines': {'one': 1},\n 'include': 'b.json', 'service': {},\n"
			     " 'tests': [], 'pipeline': 1}");
	expect_told("{'include': 'conf.d/a.json'}",
		"conf.d/a.json:2:2 /include: an included file cannot include others [name the file "
		"in main.json]\n"
		"conf.d/a.json:2:23 /service: an included file has pipelines only, and no "
		"\"service\" [write it into main.json]\n"
		"conf.d/a.json:3:2 /tests: an included file has pipelines only, and no \"tests\" "
		"[write it into main.json]\n"
		"conf.d/a.json:3:15 /pipeline: unknown key \"pipeline\" in an included file [write "
		"\"pipelines\"]\n");
	put("conf.d/a.json", "[]");
	expect_told("{'include': 'conf.d/a.json'}",
		"conf.d/a.json:1:1 : an included file is an object, not a list [write { "
		"\"pipelines\": { … } }]\n");
	put("conf.d/a.json", "{ }");
	expect_told("{'include': 'conf.d/a.json'}",
		"conf.d/a.json:1:1 : there is no pipeline in it [write { \"pipelines\": { … } "
		"}]\n");
	put("conf.d/a.json", "{'pipelines': []}");
	expect_told("{'include': 'conf.d/a.json'}",
		"conf.d/a.json:1:15 /pipelines: an object is due for \"pipelines\", not a list "
		"[write { \"pipelines\": { … } }]\n");
	put("conf.d/a.json", "{'pipelines': {}");
	expect_told("{'include': 'conf.d/a.json'}", "conf.d/a.json:1:17 : the text ends inside of "
						    "the object that begins in line 1 [write }]\n");
}

Test(include, two_of_a_name_are_both_told, .init = go_somewhere, .fini = leave)
{
	put("conf.d/a.json", "{'pipelines': {\n  'one': 1, 'two': 2 }}");
	put("conf.d/b.json", "{'pipelines': { 'two': 1,\n 'zero': 2 }}");
	expect_told("{'pipelines': {'zero': 0},\n'include': ['conf.d/*']}",
		"conf.d/b.json:1:17 /pipelines/two: there are two pipelines with the name \"two\": "
		"the other one is at conf.d/a.json:2:13 [give one of them another name]\n"
		"conf.d/b.json:2:2 /pipelines/zero: there are two pipelines with the name "
		"\"zero\": the other one is at main.json:1:16 [give one of them another name]\n");
}

Test(include, what_cannot_be_included, .init = go_somewhere, .fini = leave)
{
	expect_told("{'include': [1, '', 'conf.d/none*', 'conf.d']}",
		"main.json:1:14 /include/0: a string or a list of strings is due for \"include\", "
		"not a number [write \"conf.d/*.json\"]\n"
		"main.json:1:17 /include/1: an empty string for \"include\" [write at least one "
		"byte]\n");
	expect_told("{'include': 'conf.d/none.json', 'pipelines': {}}",
		"main.json:1:13 /include: there is no file \"conf.d/none.json\" [name a file that "
		"is "
		"there, or leave it out]\n");
	expect_told("{'include': ['conf.d/none*', 'conf.d', '*.json']}",
		"main.json:1:14 /include/0: warning: \"conf.d/none*\" includes no file "
		"[put a file there, or leave it out: looked for was \"conf.d/none*\"]\n"
		"main.json:1:30 /include/1: cannot read conf.d: Is a directory [name a file that "
		"lies in it]\n"
		"main.json:1:40 /include/2: \"*.json\" includes itself [put the others into a "
		"folder of their own]\n");
}
