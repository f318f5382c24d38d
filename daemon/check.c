/* `viewduct check`. */
#include "daemon/check.h"

#include "daemon/configuration.h"
#include "daemon/print.h"

#include <stdlib.h>
#include <unistd.h>

static enum exit_status print_json(struct configuration *configuration)
{
	faults_sort(&configuration->faults);
	char *text = faults_json(&configuration->faults);
	const enum exit_status status = print_line(text);
	free(text);
	return status;
}

enum exit_status check(const struct command_line *line)
{
	struct configuration configuration;
	struct log log;
	enum exit_status status = STATUS_FINE;

	log_open(&log, STDERR_FILENO, LOG_TEXT, LOG_LEVEL_DEBUG);
	const bool fine =
		configuration_read(&configuration, command_line_configuration(line), !line->no_env);
	if (line->format == OUTPUT_JSON)
		status = print_json(&configuration);
	else
		configuration_report(&configuration, &log);
	configuration_close(&configuration);
	return fine ? status : STATUS_CONFIGURATION;
}
