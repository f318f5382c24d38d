/* `viewduct run`. */
#include "daemon/run.h"

#include "daemon/admin.h"
#include "daemon/control.h"
#include "daemon/descriptors.h"
#include "daemon/notify.h"
#include "daemon/progress.h"
#include "daemon/reload.h"
#include "daemon/signals.h"
#include "daemon/summary.h"
#include "daemon/version.h"
#include "daemon/watchdog.h"
#include "daemon/workers.h"
#include "pipeline/io/activation.h"
#include "pipeline/io/loop.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OTHER_THREADS = 4,
	RELOAD_PATIENCE_MS = 60000,
	SWITCH_MS = 10,
	STOP_MS = 5000 /* what a drain takes beyond its time, at most */
};

static const char no_memory[] = "not enough memory to start";

struct daemon {
	const struct command_line *line;
	struct log log;
	struct generation *latest; /* configuration */
	struct reload reload;
	bool reload_asked, switching; /* the counters have yet to follow a reload */
	struct loop *loop;
	struct workers workers;
	struct signals signals;
	struct progress progress;
	struct watchdog watchdog;
	struct admin *admin;
	struct control control; /* what the admin server asks for */
	uint64_t started;       /* ns, of uv_hrtime() */
	uint64_t deadline;      /* of the drain; 0: it is not draining */
};

/* The configuration was read from there, to its end. */
static bool check_stdin(struct daemon *daemon)
{
	const struct plan *plan = daemon->latest->configuration.plan;
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
	bool fine = daemon->latest->configuration.plan != NULL;
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

	if (!set_threads(daemon->latest->configuration.plan))
		return cannot_start(daemon, NULL, "%s", no_memory);
	daemon->loop =
		loop_create((enum loop_wish)daemon->latest->configuration.plan->service.io, &why);
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

	return admin_open(&daemon->admin, &daemon->latest->configuration.plan->service.admin,
		&daemon->workers, &commands, &daemon->log, faults);
}

static enum exit_status open_workers(struct daemon *daemon)
{
	struct plan *plan = daemon->latest->configuration.plan;
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
	const struct plan *plan = daemon->latest->configuration.plan;

	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->pipelines[i]->shard == 0;
	log_say(&daemon->log, LOG_LEVEL_INFO,
		"viewduct %s has started: %zu pipeline%s, %" PRIu32 " worker%s, io %s",
		version_number, count, count == 1 ? "" : "s", plan->workers,
		plan->workers == 1 ? "" : "s", loop_backend(daemon->loop));
	notify("READY=1");
}

/* A drain may be longer than the service manager waits for the end of a unit, unless it is told. */
static void tell_stopping(uint64_t drain)
{
	char text[64];

	notify("STOPPING=1");
	snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, (drain + STOP_MS) * 1000);
	notify(text);
}

/* Sockets get half of the time; the other half is for the sinks. */
static void begin_drain(struct daemon *daemon)
{
	const uint64_t now = loop_now(daemon->loop);
	const uint64_t drain = daemon->latest->configuration.plan->service.drain;

	daemon->deadline = now + drain;
	log_say(&daemon->log, LOG_LEVEL_INFO, "draining, for %" PRIu64 " ms at most", drain);
	tell_stopping(drain);
	workers_drain(&daemon->workers, now + drain / 2);
}

static struct plan *plan_of(const struct daemon *daemon)
{
	return daemon->latest->configuration.plan;
}

static bool is_reloading(const struct daemon *daemon)
{
	return reload_is_under_way(&daemon->reload) || daemon->switching;
}

static void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, uv_hrtime() / 1000);
	notify(text);
}

static void tell_reload(struct daemon *daemon)
{
	const struct reload *reload = &daemon->reload;

	const bool good = reload->result == RELOAD_DONE;

	admin_tell(
		daemon->admin, reload->number, reload->failures, good, reload->outcome, reload->at);
	control_answer(&daemon->control, good, reload->outcome, reload->faults);
	if (daemon->deadline == 0)
		notify("READY=1");
}

/* A configuration from standard input cannot be read again. */
static void begin_reload(struct daemon *daemon)
{
	if (strcmp(daemon->reload.path, "-") == 0) {
		reload_refuse(&daemon->reload,
			"the reload was refused: the configuration came from "
			"standard input");
		tell_reload(daemon);
		return;
	}
	notify_reloading();
	if (!reload_begin(&daemon->reload))
		tell_reload(daemon);
}

/* Whoever looks at counters has to let go of the plan that was, before it can be freed. */
static void switch_over(struct daemon *daemon)
{
	if (!workers_follow(&daemon->workers, plan_of(daemon)))
		return;
	daemon->switching = false;
	daemon->progress.plan = plan_of(daemon);
	generations_sweep(daemon->latest);
	tell_reload(daemon);
}

static void heed_reload(struct daemon *daemon)
{
	if (reload_is_under_way(&daemon->reload) && reload_step(&daemon->reload))
		daemon->switching = true;
	if (daemon->switching)
		switch_over(daemon);
	if (is_reloading(daemon))
		return;
	/* Who asks while one is under way is answered by the next: the files may have changed since. */
	daemon->reload_asked |= control_take_reload(&daemon->control);
	if (!daemon->reload_asked)
		return;
	daemon->reload_asked = false;
	if (daemon->deadline == 0)
		begin_reload(daemon);
	else
		control_answer(&daemon->control, false,
			"the reload was refused: the daemon is ending", NULL);
}

static void heed_signals(struct daemon *daemon)
{
	if (daemon->signals.ends > 0 && daemon->deadline == 0)
		begin_drain(daemon);
	if (daemon->signals.reopen || control_take_reopen(&daemon->control)) {
		daemon->signals.reopen = false;
		log_say(&daemon->log, LOG_LEVEL_INFO, "reopening the files of sinks");
		workers_reopen(&daemon->workers);
	}
	daemon->reload_asked |= daemon->signals.reload;
	daemon->signals.reload = false;
	heed_reload(daemon);
}

static bool is_over(const struct daemon *daemon)
{
	return (workers_finished(&daemon->workers) && !is_reloading(daemon)) ||
	       daemon->reload.broken || daemon->signals.ends > 1 ||
	       (daemon->deadline > 0 && loop_now(daemon->loop) >= daemon->deadline);
}

static int shorter(int a, int b)
{
	return b >= 0 && (a < 0 || b < a) ? b : a;
}

static int patience(struct daemon *daemon)
{
	const uint64_t now = loop_now(daemon->loop);
	const int repeats = log_tell_repeats(&daemon->log);

	if (reload_is_due(&daemon->reload))
		return 0;
	if (daemon->switching)
		return shorter(SWITCH_MS, repeats);
	if (daemon->deadline == 0)
		return repeats;
	return shorter(daemon->deadline > now ? (int)(daemon->deadline - now) : 0, repeats);
}

static bool left_files_unread(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (node_left_unread(plan->pipelines[i]->nodes[k]))
				return true;
	return false;
}

static bool lost_bad_data(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (node_lost_bad_data(plan->pipelines[i]->nodes[k]))
				return true;
	return false;
}

/* Known exactly once the workers have ended: what was whole on its way out by then is delivered. */
static uint64_t undelivered(const struct daemon *daemon)
{
	const struct plan *plan = daemon->latest->configuration.plan;
	uint64_t sum = plan_undelivered(plan); /* of workers that could not be closed */

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (!plan->pipelines[i]->nodes[k]->optional)
				sum += plan->pipelines[i]->nodes[k]->account.dropped[DROP_SHUTDOWN];
	return sum;
}

static enum exit_status judge_cut_short(struct daemon *daemon)
{
	const uint64_t left = undelivered(daemon);
	const uint64_t bytes = plan_undelivered_bytes(daemon->latest->configuration.plan);

	if (left == 0 && bytes == 0)
		return STATUS_FINE;
	/* Nothing can be read again as long as no source keeps a checkpoint. */
	log_say(&daemon->log, LOG_LEVEL_ERROR,
		"%s: undelivered=%" PRIu64 " rereadable=0, and %" PRIu64
		" bytes that were not split into records",
		daemon->signals.ends > 1 ? "the drain was cut short"
					 : "the drain deadline has passed",
		left, bytes);
	return STATUS_UNDELIVERED;
}

static enum exit_status judge_finished(const struct daemon *daemon)
{
	if (daemon->deadline > 0)
		return STATUS_FINE;
	if (daemon->reload.unread || left_files_unread(plan_of(daemon)))
		return STATUS_CANNOT_OPEN;
	return daemon->reload.bad_data || lost_bad_data(plan_of(daemon)) ? STATUS_BAD_DATA
									 : STATUS_FINE;
}

static void tell_repeats_later(void *context)
{
	workers_ring(context);
}

static void print_summary(struct daemon *daemon, uint64_t ns)
{
	const struct plan *plan = daemon->latest->configuration.plan;

	if (daemon->line->quiet)
		return;
	char *text = daemon->log.format == LOG_JSON
			     ? summary_json(plan)
			     : summary_text(plan, loop_backend(daemon->loop), ns);
	log_text(&daemon->log, text ? text : "no summary: not enough memory\n");
	free(text);
}

static void close_admin(struct daemon *daemon)
{
	control_give_up(&daemon->control);
	admin_close(daemon->admin);
	daemon->admin = NULL;
}

static enum exit_status run_to_the_end(struct daemon *daemon)
{
	daemon->started = uv_hrtime();
	daemon->reload = (struct reload){ .log = &daemon->log,
		.workers = &daemon->workers,
		.latest = &daemon->latest,
		.path = command_line_configuration(daemon->line),
		.threads = plan_threads(plan_of(daemon)),
		.number = 1 };
	log_wake_by(&daemon->log, tell_repeats_later, &daemon->workers);
	say_started(daemon);
	progress_open(
		&daemon->progress, &daemon->log, daemon->loop, daemon->latest->configuration.plan);
	watchdog_open(&daemon->watchdog, &daemon->workers, daemon->loop, &daemon->log);
	while (!is_over(daemon)) {
		workers_turn(&daemon->workers, patience(daemon));
		heed_signals(daemon);
	}
	const uint64_t ns = uv_hrtime() - daemon->started;
	progress_close(&daemon->progress);
	watchdog_close(&daemon->watchdog);
	close_admin(daemon);
	log_wake_by(&daemon->log, NULL, NULL);
	const bool finished = workers_finished(&daemon->workers);
	(void)workers_stop(&daemon->workers); /* asked again when all is closed */
	reload_close(&daemon->reload);
	const enum exit_status status = daemon->reload.broken ? STATUS_CANNOT_OPEN
					: finished            ? judge_finished(daemon)
							      : judge_cut_short(daemon);
	log_settle(&daemon->log);
	print_summary(daemon, ns);
	return status;
}

/* What the kernel still holds, only the end of the process frees. */
static void close_all(struct daemon *daemon)
{
	close_admin(daemon);
	if (!workers_stop(&daemon->workers))
		return;
	signals_close(&daemon->signals);
	workers_close(&daemon->workers);
	loop_destroy(daemon->loop);
	generations_close(daemon->latest);
	activation_close();
}

enum exit_status run(const struct command_line *line)
{
	struct daemon daemon = { .line = line };
	enum exit_status status;

	activation_take(ACTIVATION_FIRST);
	control_open(&daemon.control);
	descriptors_raise_limit();
	log_open(&daemon.log, STDERR_FILENO, (enum log_format)line->log_format,
		(enum log_level)line->log_level);
	status = read_configuration(&daemon);
	if (status == STATUS_FINE)
		status = make_loop(&daemon);
	if (status == STATUS_FINE)
		status = open_workers(&daemon);
	if (status == STATUS_FINE)
		status = run_to_the_end(&daemon);
	close_all(&daemon);
	control_close(&daemon.control);
	log_settle(&daemon.log);
	return status;
}
