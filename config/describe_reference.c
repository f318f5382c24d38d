/* The reference in Markdown. */
#include "config/describe.h"

#include "config/describe_option.h"
#include "config/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* In a cell of a table, a bar would end it. */
static void print_cell(FILE *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputs(" | ", out);
}

static void print_row(FILE *out, const struct listed *listed)
{
	char *takes = describe_takes(listed, "`"), *standard = describe_default(listed->option);
	fprintf(out, "| `%s` | ", listed->name);
	print_cell(out, takes);
	print_cell(out, standard);
	fprintf(out, "%s", listed->option->primary ? "May stand alone. " : "");
	for (const char *at = listed->option->doc; at != NULL && *at != '\0'; at++)
		fprintf(out, *at == '|' ? "\\%c" : "%c", *at);
	fputs(" |\n", out);
	free(takes);
	free(standard);
}

static void print_table(FILE *out, const struct option *table)
{
	size_t count;
	struct listed *items = describe_options(table, &count);
	if (count > 0)
		fputs("| option | takes | default | |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < count; i++)
		print_row(out, &items[i]);
	fputs(count > 0 ? "\n" : "It has no options.\n\n", out);
	free(items);
}

static void print_kind(FILE *out, const struct described *kind)
{
	char *example = describe_example(kind);
	fprintf(out, "#### `%s`\n\n%s\n\n", kind->name, kind->doc == NULL ? "" : kind->doc);
	print_table(out, kind->options);
	fprintf(out, "```json\n%s\n```\n\n", example);
	free(example);
}

static void print_group(FILE *out, const char *title, const struct described *kinds)
{
	fprintf(out, "### %s\n\n", title);
	for (; kinds->name != NULL; kinds++)
		print_kind(out, kinds);
}

static void print_options(FILE *out, const char *title, const struct option *table)
{
	if (table == NULL || table->name == NULL)
		return;
	fprintf(out, "### %s\n\n", title);
	print_table(out, table);
}

static void print_test(FILE *out, const struct option *table)
{
	if (table == NULL)
		return;
	print_options(out, "An item of `tests`, beside `in` and `out`", table);
	fprintf(out, "| list | |\n|---|---|\n| `in` | required: %s |\n| `out` | required: %s |\n\n",
		DESCRIBE_TEST_IN, DESCRIBE_TEST_OUT);
}

char *describe_reference(const struct catalogue *catalogue)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	print_options(out, "The configuration, beside `service`, `pipelines` and `tests`",
		catalogue->configuration);
	print_options(out, "`service`", catalogue->service);
	print_options(out, "A pipeline, beside `from`, `stages` and `to`", catalogue->pipeline);
	print_group(out, "Sources", catalogue->sources);
	print_group(out, "Stages", catalogue->stages);
	print_group(out, "Sinks", catalogue->sinks);
	print_options(out, "Beside a sink", catalogue->branch);
	print_test(out, catalogue->test);
	memory_text_close(out);
	return text;
}
