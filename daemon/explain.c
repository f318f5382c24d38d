/* `viewduct explain`. */
#include "daemon/explain.h"

#include "daemon/configuration.h"
#include "daemon/print.h"
#include "pipeline/io/loop.h"

#include <stdlib.h>
#include <unistd.h>

static enum exit_status print_plan(const struct plan *plan, bool json)
{
	const char *why = NULL;
	struct loop *loop = loop_create((enum loop_wish)plan->service.io, &why);
	const char *backend = loop ? loop_backend(loop) : "none";
	char *text =
		json ? plan_explain_json(plan, backend, why) : plan_explain(plan, backend, why);
	const enum exit_status status = print_line(text);

	free(text);
	loop_destroy(loop);
	return status;
}

static enum exit_status print_graph(const struct plan *plan, enum graph graph)
{
	char *text = plan_explain_graph(plan, graph);
	const enum exit_status status = print_text(text);

	free(text);
	return status;
}

enum exit_status explain(const struct command_line *line)
{
	struct configuration configuration;
	struct log log;
	enum exit_status status = STATUS_CONFIGURATION;

	log_open(&log, STDERR_FILENO, LOG_TEXT, LOG_LEVEL_DEBUG);
	const bool fine =
		configuration_read(&configuration, command_line_configuration(line), true);
	configuration_report(&configuration, &log);
	if (fine && line->graph != GRAPH_NONE)
		status = print_graph(configuration.plan, (enum graph)line->graph);
	else if (fine)
		status = print_plan(configuration.plan, line->format == OUTPUT_JSON);
	configuration_close(&configuration);
	return status;
}
