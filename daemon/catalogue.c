/* `viewduct schema` and `viewduct list`. */
#include "daemon/catalogue.h"

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

enum exit_status catalogue_list(const struct command_line *line)
{
	char *text;

	if (line->format == OUTPUT_MARKDOWN)
		text = describe_reference(plan_catalogue());
	else if (line->format == OUTPUT_ROFF)
		text = describe_manual(plan_catalogue());
	else
		text = describe_list(plan_catalogue(), line->argument);

	if (!text && line->argument) {
		fprintf(stderr, "viewduct: there is no kind \"%s\"; viewduct list names them all\n",
			line->argument);
		return STATUS_COMMAND_LINE;
	}
	const enum exit_status status = print_text(text);
	free(text);
	return status;
}
