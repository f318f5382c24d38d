/* The start of `viewduct run`. */
#include "daemon/start.h"

#include "daemon/notify.h"
#include "daemon/version.h"
#include "pipeline/io/activation.h"
#include "pipeline/io/loop.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OTHER_THREADS = 4, RELOAD_PATIENCE_MS = 60000 };

static const char no_memory[] = "not enough memory to start";

/* The configuration was read from there, to its end. */
static bool check_stdin(struct daemon *daemon)
{
	const struct plan *plan = daemon_plan(daemon);
	bool fine = true;

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			if (node->role == NODE_SOURCE && strcmp(node->type->name, "stdin") == 0)
				fine = fault_at(&daemon->latest->configuration.faults, node->value,
					"name the file of the configuration",
					"standard input has brought the configuration: nothing is "
					"left to read");
		}
	return fine;
}

static enum exit_status read_configuration(struct daemon *daemon)
{
	const char *path = command_line_configuration(daemon->line);

	daemon->latest = generation_read(path);
	if (!daemon->latest) {
		log_say(&daemon->log, LOG_LEVEL_ERROR, "%s", no_memory);
		return STATUS_CANNOT_OPEN;
	}
	bool fine = daemon_plan(daemon) != NULL;
	if (fine && strcmp(path, "-") == 0)
		fine = check_stdin(daemon);
	configuration_report(&daemon->latest->configuration, &daemon->log);
	return fine ? STATUS_FINE : STATUS_CONFIGURATION;
}

/* libuv reads how many threads it may have when it needs the first: those of codecs, and some for names and files. */
static bool set_threads(const struct plan *plan)
{
	char threads[16];

	snprintf(threads, sizeof(threads), "%" PRIu32, OTHER_THREADS + plan_threads(plan));
	return setenv("UV_THREADPOOL_SIZE", threads, 1) == 0;
}

/* What was said of the configuration is not said again. */
static void forget_faults(struct daemon *daemon)
{
	faults_close(&daemon->latest->configuration.faults);
	daemon->latest->configuration.faults = (struct faults){ 0 };
}

__attribute__((format(printf, 3, 4))) static enum exit_status cannot_start(
	struct daemon *daemon, const char *remedy, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	forget_faults(daemon);
	fault_at(&daemon->latest->configuration.faults, NULL, remedy, "%s", text);
	configuration_report(&daemon->latest->configuration, &daemon->log);
	return STATUS_CANNOT_OPEN;
}

static enum exit_status make_loop(struct daemon *daemon)
{
	const char *why = NULL;

	if (!set_threads(daemon_plan(daemon)))
		return cannot_start(daemon, NULL, "%s", no_memory);
	daemon->loop = loop_create((enum loop_wish)daemon_plan(daemon)->service.io, &why);
	if (!daemon->loop)
		return cannot_start(daemon, "write \"io\": \"auto\": then epoll takes its place",
			"no io_uring: %s", why ? why : "refused");
	if (why)
		log_say(&daemon->log, LOG_LEVEL_WARNING, "no io_uring: %s; epoll takes its place",
			why);
	return STATUS_FINE;
}

static void close_unused_sockets(struct daemon *daemon)
{
	const char *name;

	while ((name = activation_close_unused()))
		log_say(&daemon->log, LOG_LEVEL_WARNING,
			"no source listens on the socket \"%s\" that the service manager passed: "
			"it is closed here, and whoever connects waits in vain",
			name);
}

/* On the admin server's thread. */
static void ask_reopen(void *context)
{
	struct daemon *daemon = context;

	control_ask_reopen(&daemon->control);
	workers_ring(&daemon->workers);
}

static bool ask_reload(void *context, char outcome[CONTROL_TEXT], char **details)
{
	struct daemon *daemon = context;
	const uint64_t number = control_ask_reload(&daemon->control);

	workers_ring(&daemon->workers);
	return control_wait(&daemon->control, number, RELOAD_PATIENCE_MS, outcome, details);
}

static bool open_admin(struct daemon *daemon, struct faults *faults)
{
	const struct admin_commands commands = {
		.context = daemon, .reopen = ask_reopen, .reload = ask_reload
	};

	return admin_open(&daemon->admin, &daemon_plan(daemon)->service.admin, &daemon->workers,
		&commands, &daemon->log, faults);
}

static enum exit_status open_workers(struct daemon *daemon)
{
	struct plan *plan = daemon_plan(daemon);
	struct faults *faults = &daemon->latest->configuration.faults;

	if (!signals_open(&daemon->signals, daemon->loop))
		return cannot_start(daemon, NULL, "%s", no_memory);
	forget_faults(daemon);
	const bool open =
		workers_open(&daemon->workers, plan, daemon->loop, &daemon->log, faults) &&
		open_admin(daemon, faults);
	configuration_report(&daemon->latest->configuration, &daemon->log);
	if (open)
		close_unused_sockets(daemon);
	return open ? STATUS_FINE : STATUS_CANNOT_OPEN;
}

static void say_started(struct daemon *daemon)
{
	const struct plan *plan = daemon_plan(daemon);
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->pipelines[i]->shard == 0;
	log_say(&daemon->log, LOG_LEVEL_INFO,
		"viewduct %s has started: %zu pipeline%s, %" PRIu32 " worker%s, io %s",
		version_number, count, count == 1 ? "" : "s", plan->workers,
		plan->workers == 1 ? "" : "s", loop_backend(daemon->loop));
	notify("READY=1");
}

enum exit_status start(struct daemon *daemon)
{
	enum exit_status status = read_configuration(daemon);

	if (status == STATUS_FINE)
		status = make_loop(daemon);
	if (status == STATUS_FINE)
		status = open_workers(daemon);
	if (status == STATUS_FINE)
		say_started(daemon);
	return status;
}
