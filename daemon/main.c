/* viewduct: a streaming ETL daemon that copies none of the bytes that it moves. */
#include "daemon/bug.h"
#include "daemon/catalogue.h"
#include "daemon/check.h"
#include "daemon/command_line.h"
#include "daemon/descriptors.h"
#include "daemon/explain.h"
#include "daemon/help.h"
#include "daemon/run.h"
#include "daemon/test.h"
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
	case COMMAND_VERSION:
		return version();
	case COMMAND_HELP:
		break;
	}
	return help(line);
}

int main(int count, char **arguments)
{
	struct command_line line;

	descriptors_fill();
	bug_prepare();
	if (command_line_read(&line, count, arguments))
		return (int)obey(&line);
	fprintf(stderr, "viewduct: %s\n", line.error);
	fprintf(stderr, "usage: viewduct run|check|explain|schema|list|test|version|help; help "
			"says more\n");
	return STATUS_COMMAND_LINE;
}
