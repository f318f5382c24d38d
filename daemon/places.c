/* Where a running daemon may be asked. */
#include "daemon/places.h"

#include "daemon/admin.h"
#include "daemon/configuration.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usual_configuration[] = "/etc/viewduct/viewduct.json";

__attribute__((format(printf, 2, 3))) static void add(
	struct places *places, const char *format, ...)
{
	va_list list;

	if (places->count == PLACES_MOST)
		return;
	va_start(list, format);
	vsnprintf(places->items[places->count++], sizeof(places->items[0]), format, list);
	va_end(list);
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

static void add_usual_sockets(struct places *places)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");

	add(places, "%s", ADMIN_USUAL_SOCKET);
	if (geteuid() != 0 && folder && *folder)
		add(places, "%s/%s", folder, ADMIN_USUAL_NAME);
}

static void add_options(struct places *places, const struct admin_options *options)
{
	places->off = !options->enabled;
	if (places->off)
		return;
	if (options->socket)
		add(places, "%s", options->socket);
	else
		add_usual_sockets(places);
	if (options->listen.text)
		add(places, "%s", options->listen.text);
	else
		add(places, "%s:%d", ADMIN_USUAL_HOST, ADMIN_USUAL_PORT);
}

/* What the rest of the configuration says, and whether it is right, is of no matter here: it may be about to be
 * mended. */
static void read_service(const struct document *document, struct service *service)
{
	const struct value *value = value_member(document->root, "service");
	struct faults ignored = { 0 };

	if (!options_read(service_options, value, "the service", service, &ignored))
		*service = (struct service){ .admin.enabled = true };
	faults_close(&ignored);
}

static void say_unreadable(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		char *text = fault_text(&faults->items[i]);
		fputs(text ? text : "not enough memory\n", stderr);
		free(text);
	}
}

static bool add_configured(struct places *places, const char *path, bool must)
{
	struct service service = { .admin.enabled = true };
	struct document document = { 0 };
	struct faults faults = { 0 };

	document_read(&document, path, true, &faults);
	const bool readable = document.root != NULL;
	if (readable)
		read_service(&document, &service);
	else if (must)
		say_unreadable(&faults);
	if (readable || !must)
		add_options(places, &service.admin);
	document_close(&document);
	faults_close(&faults);
	return readable || !must;
}

bool places_find(struct places *places, const struct command_line *line)
{
	const char *said = line->admin ? line->admin : getenv("VIEWDUCT_ADMIN");

	*places = (struct places){ 0 };
	if (said && *said && (line->admin || !line->config)) {
		add(places, "%s", said);
		return true;
	}
	if (line->config)
		return add_configured(places, line->config, true);
	return add_configured(places, usual_configuration, false);
}

void places_for_commands(struct places *places)
{
	size_t kept = 0;

	for (size_t i = 0; i < places->count && places->count > 1; i++)
		if (strchr(places->items[i], '/')) {
			memmove(places->items[kept], places->items[i], sizeof(places->items[i]));
			kept++;
		}
	if (kept > 0)
		places->count = kept;
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

bool places_ask(const struct places *places, struct client *client, const char *method,
	const char *path, int patience_ms, char *why, size_t size)
{
	size_t used = 0;

	if (places->off)
		snprintf(why, size, "the configuration has no admin server");
	for (size_t i = 0; i < places->count; i++) {
		if (client_connect(client, places->items[i], patience_ms) &&
			client_ask(client, method, path))
			return true;
		client_close(client);
		if (used < size)
			used += (size_t)snprintf(why + used, size - used, "%s%s (%s)",
				i ? ", " : "no daemon answers at ", places->items[i],
				client->error);
	}
	return false;
}

enum exit_status places_ask_once(const struct command_line *line, bool commands,
	struct client *client, const char *method, const char *path, int patience_ms)
{
	struct places places;
	char why[1024];

	if (!places_find(&places, line))
		return STATUS_CONFIGURATION;
	if (commands)
		places_for_commands(&places);
	if (places_ask(&places, client, method, path, patience_ms, why, sizeof(why)))
		return STATUS_FINE;
	fprintf(stderr, "viewduct: %s\n", why);
	return STATUS_NO_DAEMON;
}
