/* The reference in Markdown. */
#include "config/describe.h"

#include "config/describe_option.h"
#include "config/describe_sections.h"
#include "config/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void print_title(FILE *out, const char *title)
{
	fprintf(out, "### %s\n\n", title);
}

/* In a cell of a table, a bar would end it. */
static void print_cell(FILE *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
	fputs(" |", out);
}

static void print_row(FILE *out, const struct listed *listed)
{
	char *takes = describe_takes(listed, "`"), *standard = describe_default(listed->option);
	fprintf(out, "| `%s` | ", listed->name);
	print_cell(out, takes);
	fputc(' ', out);
	print_cell(out, standard);
	fputs(listed->option->primary ? " May stand alone. " : " ", out);
	print_cell(out, listed->option->doc);
	fputc('\n', out);
	free(takes);
	free(standard);
}

static void print_options(FILE *out, const struct option *table)
{
	fputs("| option | takes | default | |\n|---|---|---|---|\n", out);
	describe_options(out, table, print_row);
	fputc('\n', out);
}

static void print_kind(FILE *out, const struct described *kind)
{
	char *example = describe_example(kind);
	fprintf(out, "#### `%s`\n\n%s\n\n", kind->name, kind->doc == NULL ? "" : kind->doc);
	if (kind->options != NULL && kind->options->name != NULL)
		print_options(out, kind->options);
	else
		fputs("It has no options.\n\n", out);
	fprintf(out, "```json\n%s\n```\n\n", example);
	free(example);
}

static void print_test(FILE *out, const struct option *table)
{
	print_title(out, "An item of `tests`, beside `in` and `out`");
	print_options(out, table);
	fprintf(out, "| list | |\n|---|---|\n| `in` | required: %s |\n| `out` | required: %s |\n\n",
		DESCRIBE_TEST_IN, DESCRIBE_TEST_OUT);
}

static const struct describe_form markdown = {
	.title = print_title,
	.options = print_options,
	.kind = print_kind,
	.test = print_test,
};

char *describe_reference(const struct catalogue *catalogue)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	describe_sections(out, catalogue, &markdown);
	memory_text_close(out);
	return text;
}
