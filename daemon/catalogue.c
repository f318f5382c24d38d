/* `viewduct schema` and `viewduct list`. */
#include "daemon/catalogue.h"

#include "config/nearest.h"
#include "daemon/print.h"
#include "pipeline/plan.h"

#include <stdio.h>
#include <stdlib.h>

enum exit_status catalogue_schema(void)
{
	char *text = describe_schema(plan_catalogue());
	const enum exit_status status = print_text(text);

	free(text);
	return status;
}

static enum exit_status unknown_kind(const char *kind)
{
	const char *names[DESCRIBED_MOST];

	describe_names(plan_catalogue(), names);
	const char *meant = nearest(kind, names);
	if (meant)
		fprintf(stderr, "viewduct: there is no kind \"%.40s\": did you mean \"%s\"?\n",
			kind, meant);
	else
		fprintf(stderr,
			"viewduct: there is no kind \"%.40s\"; viewduct list names them all\n",
			kind);
	return STATUS_COMMAND_LINE;
}

enum exit_status catalogue_list(const struct command_line *line)
{
	char *text;

	if (line->format == OUTPUT_MARKDOWN)
		text = describe_reference(plan_catalogue());
	else if (line->format == OUTPUT_ROFF)
		text = describe_manual(plan_catalogue());
	else
		text = describe_list(plan_catalogue(), line->argument);

	if (!text)
		return unknown_kind(line->argument);
	const enum exit_status status = print_text(text);
	free(text);
	return status;
}
