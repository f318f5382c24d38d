/* One question to a running daemon. */
#include "daemon/operate.h"

#include "daemon/places.h"
#include "daemon/print.h"
#include "daemon/status_table.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATIENCE_MS = 5000,
	HEALTH_PATIENCE_MS = 8000,  /* the daemon itself waits for its loops */
	RELOAD_PATIENCE_MS = 70000, /* and for what is to be written before a pipeline changes */
	MOST_TEXT = 64 * 1024 * 1024,
	RATE_MS = 1000,
	FRESH_SECONDS = 10, /* rates over a longer time say little of now */
	HTTP_FINE = 200,
	HTTP_CONFLICT = 409,
	HTTP_UNAVAILABLE = 503
};

/* The answer's text; NULL, and told, if it is cut off. The client is closed. */
static char *read_text(struct client *client)
{
	char *text = client_read_all(client, MOST_TEXT);

	client_close(client);
	if (!text)
		fprintf(stderr, "viewduct: %s\n", client->error);
	return text;
}

/* --- status -------------------------------------------------------------------------------------------------------- */

/* NULL with the status to exit with. */
static char *ask_status(const struct command_line *line, enum exit_status *status)
{
	struct client client;

	*status = places_ask_once(line, false, &client, "GET", "/status", PATIENCE_MS);
	if (*status != STATUS_FINE)
		return NULL;
	char *text = read_text(&client);
	if (text && client.status == HTTP_FINE)
		return text;
	if (text)
		fprintf(stderr, "viewduct: %s", text);
	free(text);
	*status = STATUS_NO_DAEMON;
	return NULL;
}

static bool has_fresh_rates(const char *text)
{
	cJSON *status = cJSON_Parse(text);
	const cJSON *over = cJSON_GetObjectItem(status, "over_seconds");
	const bool fresh =
		cJSON_IsNumber(over) && over->valuedouble > 0 && over->valuedouble <= FRESH_SECONDS;

	cJSON_Delete(status);
	return fresh;
}

static enum exit_status print_table(const char *text)
{
	const struct status_style style = { 0 };
	cJSON *status = cJSON_Parse(text);
	char *table = status ? status_table(status, &style) : NULL;
	const enum exit_status result = print_text(table);

	free(table);
	cJSON_Delete(status);
	return result;
}

/* Rates are told from the question before: where nobody has asked lately, this one is asked twice. */
enum exit_status operate_status(const struct command_line *line)
{
	enum exit_status status;
	char *text = ask_status(line, &status);

	if (text && !has_fresh_rates(text)) {
		free(text);
		poll(NULL, 0, RATE_MS);
		text = ask_status(line, &status);
	}
	if (!text)
		return status;
	status = line->format == OUTPUT_JSON ? print_text(text) : print_table(text);
	if (line->format == OUTPUT_JSON && status == STATUS_FINE)
		status = print_text("\n");
	free(text);
	return status;
}

/* --- the others ---------------------------------------------------------------------------------------------------- */

/* Prints the answer: on standard error unless it is good. `bad` is the exit status of the answer that is `expected` else;
 * any other comes from something that does not do what it is asked. */
static enum exit_status answer(struct client *client, unsigned expected, enum exit_status bad)
{
	const bool good = client->status == HTTP_FINE;
	char *text = read_text(client);

	if (!text)
		return STATUS_NO_DAEMON;
	enum exit_status status = good ? print_text(text) : bad;
	if (!good)
		fputs(text, stderr);
	if (!good && client->status != expected)
		status = STATUS_NO_DAEMON;
	free(text);
	return status;
}

enum exit_status operate_reload(const struct command_line *line)
{
	struct client client;
	const enum exit_status status =
		places_ask_once(line, true, &client, "POST", "/reload", RELOAD_PATIENCE_MS);

	return status == STATUS_FINE ? answer(&client, HTTP_CONFLICT, STATUS_REFUSED) : status;
}

enum exit_status operate_reopen(const struct command_line *line)
{
	struct client client;
	const enum exit_status status =
		places_ask_once(line, true, &client, "POST", "/reopen", PATIENCE_MS);

	return status == STATUS_FINE ? answer(&client, HTTP_FINE, STATUS_NO_DAEMON) : status;
}

enum exit_status operate_health(const struct command_line *line)
{
	struct client client;
	const enum exit_status status = places_ask_once(line, false, &client, "GET",
		line->ready ? "/ready" : "/health", HEALTH_PATIENCE_MS);

	return status == STATUS_FINE ? answer(&client, HTTP_UNAVAILABLE, STATUS_BAD) : status;
}
