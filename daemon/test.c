/* `viewduct test`. */
#include "daemon/test.h"

#include "config/memory.h"
#include "config/utf8.h"
#include "daemon/configuration.h"
#include "daemon/differences.h"
#include "daemon/print.h"
#include "daemon/rehearsal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is due, and what was found ------------------------------------------------------------------------------ */

/* A datagram each. */
static struct lines lines_of_items(const struct trial_flow *flow)
{
	struct lines lines = { .count = flow->count };

	lines.items = memory_needed(calloc(flow->count + 1, sizeof(*lines.items)));
	for (size_t i = 0; i < flow->count; i++)
		lines.items[i] = (struct line){ flow->items[i].data, flow->items[i].size };
	return lines;
}

static struct lines lines_of_datagrams(const struct gathered *gathered)
{
	struct lines lines = { .count = gathered->end_count };
	size_t at = 0;

	lines.items = memory_needed(calloc(gathered->end_count + 1, sizeof(*lines.items)));
	for (size_t i = 0; i < gathered->end_count; at = gathered->ends[i++])
		lines.items[i] = (struct line){ gathered->data + at, gathered->ends[i] - at };
	return lines;
}

static char *join(const struct trial_flow *flow, size_t *size)
{
	char *text;
	FILE *out = memory_text_open(&text, size);

	for (size_t i = 0; i < flow->count; i++)
		fwrite(flow->items[i].data, 1, flow->items[i].size, out);
	memory_text_close(out);
	return text;
}

/* --- one test ----------------------------------------------------------------------------------------------------- */

/* Prints what differs at one sink. True if nothing does. */
static bool compare(FILE *out, const struct trial_flow *due, const struct gathered *gathered)
{
	size_t size;
	char *text = join(due, &size);
	struct lines wanted = gathered->apart ? lines_of_items(due) : lines_of(text, size);
	struct lines found = gathered->apart ? lines_of_datagrams(gathered)
					     : lines_of(gathered->data, gathered->size);
	const bool equal = lines_equal(&wanted, &found);

	if (!equal) {
		fprintf(out, "  %s: missing (-) and found (+)\n", due->node);
		differences_print(out, &wanted, &found);
	}
	free(wanted.items);
	free(found.items);
	free(text);
	return equal;
}

/* What was dropped may be why something is missing. */
static void print_losses(FILE *out, const char *losses)
{
	while (*losses) {
		const int size = (int)strcspn(losses, "\n");
		fprintf(out, "  %.*s\n", size, losses);
		losses += size + 1;
	}
}

static bool compare_all(FILE *out, const struct rehearsal *rehearsal)
{
	const struct trial *trial = rehearsal->trial;
	bool good = true;

	for (size_t i = 0; i < trial->out_count; i++) {
		const struct trial_flow *due = &trial->out[i];
		good = compare(out, due, rehearsal_find(rehearsal, due->node)) && good;
	}
	if (!good)
		print_losses(out, rehearsal->losses);
	return good;
}

static void print_faults(FILE *out, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		fprintf(out, "  %s\n", faults->items[i].message);
}

static bool run_trial(FILE *out, const struct plan *plan, const struct trial *trial)
{
	struct rehearsal rehearsal;
	struct faults faults = { 0 };
	char *text;
	size_t size;
	FILE *said = memory_text_open(&text, &size);
	bool good = rehearsal_run(&rehearsal, plan, trial, &faults);

	if (good)
		good = compare_all(said, &rehearsal);
	else
		print_faults(said, &faults);
	memory_text_close(said);
	char *name = utf8_visible_text(trial->name, strlen(trial->name));
	fprintf(out, "%s %s\n%s", good ? "ok    " : "FAILED", name, text);
	free(name);
	free(text);
	rehearsal_close(&rehearsal);
	faults_close(&faults);
	return good;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static enum exit_status run_trials(const struct plan *plan)
{
	size_t failed = 0, size;
	char *text;
	FILE *out = memory_text_open(&text, &size);

	for (size_t i = 0; i < plan->trial_count; i++)
		failed += !run_trial(out, plan, &plan->trials[i]);
	fprintf(out, "%zu test%s, %zu failed\n", plan->trial_count,
		plan->trial_count == 1 ? "" : "s", failed);
	memory_text_close(out);
	const enum exit_status status = print_text(text);
	free(text);
	return status == STATUS_FINE && failed > 0 ? STATUS_BAD : status;
}

enum exit_status test(const struct command_line *line)
{
	struct configuration configuration;
	struct log log;
	enum exit_status status = STATUS_CONFIGURATION;

	log_open(&log, STDERR_FILENO, LOG_TEXT, LOG_LEVEL_DEBUG);
	const bool fine =
		configuration_read(&configuration, command_line_configuration(line), true);
	configuration_report(&configuration, &log);
	if (fine)
		status = run_trials(configuration.plan);
	configuration_close(&configuration);
	return status;
}
