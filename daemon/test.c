/* `viewduct test`. */
#include "daemon/test.h"

#include "config/memory.h"
#include "config/utf8.h"
#include "daemon/configuration.h"
#include "daemon/differences.h"
#include "daemon/print.h"
#include "daemon/rehearsal.h"

#include <cjson/cJSON.h>
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

/* Plays it, and prints what is wrong. */
static bool play_trial(FILE *out, const struct plan *plan, const struct trial *trial)
{
	struct rehearsal rehearsal;
	struct faults faults = { 0 };
	bool good = rehearsal_run(&rehearsal, plan, trial, &faults);

	if (good)
		good = compare_all(out, &rehearsal);
	else
		print_faults(out, &faults);
	rehearsal_close(&rehearsal);
	faults_close(&faults);
	return good;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* A test that was played. */
struct result {
	const struct trial *trial;
	bool good;
	char *said;
};

static struct result *play_trials(const struct plan *plan)
{
	struct result *results = memory_needed(calloc(plan->trial_count, sizeof(*results)));

	for (size_t i = 0; i < plan->trial_count; i++) {
		size_t size;
		FILE *out = memory_text_open(&results[i].said, &size);
		results[i].trial = &plan->trials[i];
		results[i].good = play_trial(out, plan, &plan->trials[i]);
		memory_text_close(out);
	}
	return results;
}

static char *results_text(const struct result *results, size_t count)
{
	size_t failed = 0, size;
	char *text;
	FILE *out = memory_text_open(&text, &size);

	for (size_t i = 0; i < count; i++) {
		const char *given = results[i].trial->name;
		char *name = utf8_visible_text(given, strlen(given));
		fprintf(out, "%s %s\n%s", results[i].good ? "ok    " : "FAILED", name,
			results[i].said);
		failed += !results[i].good;
		free(name);
	}
	fprintf(out, "%zu test%s, %zu failed\n", count, count == 1 ? "" : "s", failed);
	memory_text_close(out);
	return text;
}

/* The lines that are printed below a test, without their indentation. */
static cJSON *json_lines(const char *said)
{
	cJSON *lines = memory_needed(cJSON_CreateArray());

	while (*said) {
		const size_t size = strcspn(said, "\n"), indentation = size < 2 ? size : 2;
		char *line = utf8_visible_text(said + indentation, size - indentation);
		cJSON_AddItemToArray(lines, memory_needed(cJSON_CreateString(line)));
		free(line);
		said += size + (said[size] == '\n');
	}
	return lines;
}

static char *results_json(const struct result *results, size_t count)
{
	cJSON *list = memory_needed(cJSON_CreateArray());

	for (size_t i = 0; i < count; i++) {
		const struct trial *trial = results[i].trial;
		cJSON *object = memory_needed(cJSON_CreateObject());
		cJSON_AddItemToObject(
			object, "name", memory_needed(cJSON_CreateString(trial->name)));
		cJSON_AddItemToObject(object, "pipeline",
			memory_needed(cJSON_CreateString(trial->pipeline->name)));
		cJSON_AddItemToObject(
			object, "passed", memory_needed(cJSON_CreateBool(results[i].good)));
		cJSON_AddItemToObject(object, "said", json_lines(results[i].said));
		cJSON_AddItemToArray(list, object);
	}
	char *text = memory_needed(cJSON_Print(list));
	cJSON_Delete(list);
	return text;
}

static enum exit_status run_trials(const struct plan *plan, bool json)
{
	struct result *results = play_trials(plan);
	bool good = true;
	char *text = json ? results_json(results, plan->trial_count)
			  : results_text(results, plan->trial_count);
	const enum exit_status status = print_line(text);

	free(text);
	for (size_t i = 0; i < plan->trial_count; i++) {
		good = good && results[i].good;
		free(results[i].said);
	}
	free(results);
	return status == STATUS_FINE && !good ? STATUS_BAD : status;
}

/* Who asks for tests takes "fine" for an answer. */
static bool has_trials(struct configuration *configuration)
{
	const struct value *root = configuration->document.root;
	const struct value *tests = value_member(root, "tests");

	return configuration->plan->trial_count > 0 ||
	       fault_at(&configuration->faults, tests ? tests : root,
		       "write \"tests\": [ { \"name\": …, \"pipeline\": …, \"in\": …, \"out\": … } "
		       "]",
		       "there are no tests");
}

enum exit_status test(const struct command_line *line)
{
	struct configuration configuration;
	struct log log;
	enum exit_status status = STATUS_CONFIGURATION;

	log_open(&log, STDERR_FILENO, LOG_TEXT, LOG_LEVEL_DEBUG);
	const bool fine =
		configuration_read(&configuration, command_line_configuration(line), true) &&
		has_trials(&configuration);
	configuration_report(&configuration, &log);
	if (fine)
		status = run_trials(configuration.plan, line->format == OUTPUT_JSON);
	configuration_close(&configuration);
	return status;
}
