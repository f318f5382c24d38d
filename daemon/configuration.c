/* A configuration as a command gets it. */
#include "daemon/configuration.h"

#include "config/include.h"

#include <stdlib.h>

bool configuration_read(struct configuration *configuration, const char *path, bool resolve)
{
	*configuration = (struct configuration){ 0 };
	document_read(&configuration->document, path, resolve, &configuration->faults);
	include_files(&configuration->document, &configuration->faults);
	/* Where it is JSON, the plan's faults are told beside those of the document. */
	if (configuration->document.root)
		configuration->plan = plan_create(&configuration->document, &configuration->faults);
	return configuration->plan && configuration->faults.errors == 0;
}

static void report_event(const struct fault *fault, struct log *log)
{
	const enum log_level level = fault->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
	const char *remedy = fault->remedy ? fault->remedy : "";
	const char *dash = fault->remedy ? ": " : "";

	if (fault->file)
		log_say(log, level, "%s:%u:%u: %s%s%s", fault->file, fault->line, fault->column,
			fault->message, dash, remedy);
	else
		log_say(log, level, "%s%s%s", fault->message, dash, remedy);
}

static void report_text(const struct fault *fault, struct log *log)
{
	char *text = fault_text(fault);

	if (text)
		log_text(log, text);
	else
		report_event(fault, log);
	free(text);
}

void configuration_report(struct configuration *configuration, struct log *log)
{
	faults_sort(&configuration->faults);
	for (size_t i = 0; i < configuration->faults.count; i++) {
		const struct fault *fault = &configuration->faults.items[i];
		/* The journal wants a priority, and a line for each. */
		if (log->format == LOG_JSON || log->journal)
			report_event(fault, log);
		else
			report_text(fault, log);
	}
}

void configuration_close(struct configuration *configuration)
{
	plan_destroy(configuration->plan);
	faults_close(&configuration->faults);
	document_close(&configuration->document);
	*configuration = (struct configuration){ 0 };
}
