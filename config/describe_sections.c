/* The catalogue from its top to its end. */
#include "config/describe_sections.h"

static void print_options(
	FILE *out, const struct describe_form *form, const char *title, const struct option *table)
{
	if (table == NULL || table->name == NULL)
		return;
	form->title(out, title);
	form->options(out, table);
}

static void print_kinds(FILE *out, const struct describe_form *form, const char *title,
	const struct described *kinds)
{
	form->title(out, title);
	for (; kinds->name != NULL; kinds++)
		form->kind(out, kinds);
}

void describe_sections(
	FILE *out, const struct catalogue *catalogue, const struct describe_form *form)
{
	print_options(out, form, "The configuration, beside `service`, `pipelines` and `tests`",
		catalogue->configuration);
	print_options(out, form, "`service`", catalogue->service);
	print_options(
		out, form, "A pipeline, beside `from`, `stages` and `to`", catalogue->pipeline);
	print_kinds(out, form, "Sources", catalogue->sources);
	print_kinds(out, form, "Stages", catalogue->stages);
	print_kinds(out, form, "Sinks", catalogue->sinks);
	print_options(out, form, "Beside a sink", catalogue->branch);
	if (catalogue->test != NULL)
		form->test(out, catalogue->test);
}
