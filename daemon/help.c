/* `viewduct help`. */
#include "daemon/help.h"

#include "daemon/print.h"

#include <stdlib.h>

static char *make(const struct command_line *line)
{
	if (line->format == OUTPUT_ROFF)
		return help_manual();
	return line->format == OUTPUT_BASH ? help_completion() : help_command(line->topic);
}

enum exit_status help(const struct command_line *line)
{
	if (line->format == OUTPUT_TEXT && !line->topic)
		return print_text(command_line_help);
	char *text = make(line);
	const enum exit_status status = print_text(text);
	free(text);
	return status;
}
