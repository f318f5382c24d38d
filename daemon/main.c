/* viewduct: a streaming ETL daemon that copies none of the bytes that it moves. */
#include "daemon/bug.h"
#include "daemon/catalogue.h"
#include "daemon/check.h"
#include "daemon/command_line.h"
#include "daemon/descriptors.h"
#include "daemon/explain.h"
#include "daemon/help.h"
#include "daemon/operate.h"
#include "daemon/run.h"
#include "daemon/tap_view.h"
#include "daemon/test.h"
#include "daemon/top.h"
#include "daemon/version.h"

#include <stdio.h>

static enum exit_status obey(const struct command_line *line)
{
	switch (line->command) {
	case COMMAND_RUN:
		return run(line);
	case COMMAND_CHECK:
		return check(line);
	case COMMAND_EXPLAIN:
		return explain(line);
	case COMMAND_SCHEMA:
		return catalogue_schema();
	case COMMAND_LIST:
		return catalogue_list(line);
	case COMMAND_TEST:
		return test(line);
	case COMMAND_STATUS:
		return operate_status(line);
	case COMMAND_TOP:
		return top(line);
	case COMMAND_TAP:
		return tap_view(line);
	case COMMAND_RELOAD:
		return operate_reload(line);
	case COMMAND_REOPEN:
		return operate_reopen(line);
	case COMMAND_HEALTH:
		return operate_health(line);
	case COMMAND_VERSION:
		return version();
	case COMMAND_HELP:
		break;
	}
	return help(line);
}

static void print_usage(const struct command_line *line)
{
	if (line->verb && line->command != COMMAND_HELP && line->command != COMMAND_VERSION) {
		const char *argument = command_line_argument(line->verb);
		fprintf(stderr, "usage: viewduct %s [OPTIONS]%s%s; viewduct help %s says more\n",
			line->verb, *argument ? " " : "", argument, line->verb);
	} else {
		fprintf(stderr,
			"usage: viewduct run|check|explain|schema|list|test|status|top|tap|reload|"
			"reopen|health|version|help; help says more\n");
	}
}

int main(int count, char **arguments)
{
	struct command_line line;

	descriptors_fill();
	bug_prepare();
	if (command_line_read(&line, count, arguments))
		return (int)obey(&line);
	fprintf(stderr, "viewduct: %s\n", line.error);
	print_usage(&line);
	return STATUS_COMMAND_LINE;
}
