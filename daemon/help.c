/* `viewduct help`. */
#include "daemon/help.h"

#include "daemon/print.h"

#include <stdlib.h>

enum exit_status help(const struct command_line *line)
{
	if (line->format != OUTPUT_ROFF && line->format != OUTPUT_BASH)
		return print_text(command_line_help);
	char *text = line->format == OUTPUT_ROFF ? help_manual() : help_completion();
	const enum exit_status status = print_text(text);
	free(text);
	return status;
}
