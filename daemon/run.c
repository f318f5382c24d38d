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

struct run {
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
static bool check_stdin(struct run *run)
{
	const struct plan *plan = run->latest->configuration.plan;
	bool fine = true;

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			if (node->role == NODE_SOURCE && strcmp(node->type->name, "stdin") == 0)
				fine = fault_at(&run->latest->configuration.faults, node->value,
					"name the file of the configuration",
					"standard input has brought the configuration: nothing is "
					"left to read");
		}
	return fine;
}

static enum exit_status read_configuration(struct run *run)
{
	const char *path = command_line_configuration(run->line);

	run->latest = generation_read(path);
	if (!run->latest) {
		log_say(&run->log, LOG_LEVEL_ERROR, "%s", no_memory);
		return STATUS_CANNOT_OPEN;
	}
	bool fine = run->latest->configuration.plan != NULL;
	if (fine && strcmp(path, "-") == 0)
		fine = check_stdin(run);
	configuration_report(&run->latest->configuration, &run->log);
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
static void forget_faults(struct run *run)
{
	faults_close(&run->latest->configuration.faults);
	run->latest->configuration.faults = (struct faults){ 0 };
}

__attribute__((format(printf, 3, 4))) static enum exit_status cannot_start(
	struct run *run, const char *remedy, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	forget_faults(run);
	fault_at(&run->latest->configuration.faults, NULL, remedy, "%s", text);
	configuration_report(&run->latest->configuration, &run->log);
	return STATUS_CANNOT_OPEN;
}

static enum exit_status make_loop(struct run *run)
{
	const char *why = NULL;

	if (!set_threads(run->latest->configuration.plan))
		return cannot_start(run, NULL, "%s", no_memory);
	run->loop = loop_create((enum loop_wish)run->latest->configuration.plan->service.io, &why);
	if (!run->loop)
		return cannot_start(run, "write \"io\": \"auto\": then epoll takes its place",
			"no io_uring: %s", why ? why : "refused");
	if (why)
		log_say(&run->log, LOG_LEVEL_WARNING, "no io_uring: %s; epoll takes its place",
			why);
	return STATUS_FINE;
}

static void close_unused_sockets(struct run *run)
{
	const char *name;

	while ((name = activation_close_unused()))
		log_say(&run->log, LOG_LEVEL_WARNING,
			"no source listens on the socket \"%s\" that the service manager passed: "
			"it is closed here, and whoever connects waits in vain",
			name);
}

/* On the admin server's thread. */
static void ask_reopen(void *context)
{
	struct run *run = context;

	control_ask_reopen(&run->control);
	workers_ring(&run->workers);
}

static bool ask_reload(void *context, char outcome[CONTROL_TEXT], char **details)
{
	struct run *run = context;
	const uint64_t number = control_ask_reload(&run->control);

	workers_ring(&run->workers);
	return control_wait(&run->control, number, RELOAD_PATIENCE_MS, outcome, details);
}

static bool open_admin(struct run *run, struct faults *faults)
{
	const struct admin_commands commands = {
		.context = run, .reopen = ask_reopen, .reload = ask_reload
	};

	return admin_open(&run->admin, &run->latest->configuration.plan->service.admin,
		&run->workers, &commands, &run->log, faults);
}

static enum exit_status open_workers(struct run *run)
{
	struct plan *plan = run->latest->configuration.plan;
	struct faults *faults = &run->latest->configuration.faults;

	if (!signals_open(&run->signals, run->loop))
		return cannot_start(run, NULL, "%s", no_memory);
	forget_faults(run);
	const bool open = workers_open(&run->workers, plan, run->loop, &run->log, faults) &&
			  open_admin(run, faults);
	configuration_report(&run->latest->configuration, &run->log);
	if (open)
		close_unused_sockets(run);
	return open ? STATUS_FINE : STATUS_CANNOT_OPEN;
}

static void say_started(struct run *run)
{
	const struct plan *plan = run->latest->configuration.plan;

	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->pipelines[i]->shard == 0;
	log_say(&run->log, LOG_LEVEL_INFO,
		"viewduct %s has started: %zu pipeline%s, %" PRIu32 " worker%s, io %s",
		version_number, count, count == 1 ? "" : "s", plan->workers,
		plan->workers == 1 ? "" : "s", loop_backend(run->loop));
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
static void begin_drain(struct run *run)
{
	const uint64_t now = loop_now(run->loop);
	const uint64_t drain = run->latest->configuration.plan->service.drain;

	run->deadline = now + drain;
	log_say(&run->log, LOG_LEVEL_INFO, "draining, for %" PRIu64 " ms at most", drain);
	tell_stopping(drain);
	workers_drain(&run->workers, now + drain / 2);
}

static struct plan *plan_of(const struct run *run)
{
	return run->latest->configuration.plan;
}

static bool is_reloading(const struct run *run)
{
	return reload_is_under_way(&run->reload) || run->switching;
}

static void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, uv_hrtime() / 1000);
	notify(text);
}

static void tell_reload(struct run *run)
{
	const struct reload *reload = &run->reload;

	const bool good = reload->result == RELOAD_DONE;

	admin_tell(run->admin, reload->number, reload->failures, good, reload->outcome, reload->at);
	control_answer(&run->control, good, reload->outcome, reload->faults);
	if (run->deadline == 0)
		notify("READY=1");
}

/* A configuration from standard input cannot be read again. */
static void begin_reload(struct run *run)
{
	if (strcmp(run->reload.path, "-") == 0) {
		reload_refuse(&run->reload, "the reload was refused: the configuration came from "
					    "standard input");
		tell_reload(run);
		return;
	}
	notify_reloading();
	if (reload_begin(&run->reload))
		admin_tell_reloading(run->admin, NULL);
	else
		tell_reload(run);
}

/* Whoever looks at counters has to let go of the plan that was, before it can be freed. */
static void switch_over(struct run *run)
{
	if (!workers_follow(&run->workers, plan_of(run)))
		return;
	run->switching = false;
	run->progress.plan = plan_of(run);
	generations_sweep(run->latest);
	tell_reload(run);
}

static void heed_reload(struct run *run)
{
	if (reload_is_under_way(&run->reload) && reload_step(&run->reload))
		run->switching = true;
	if (reload_is_under_way(&run->reload))
		admin_tell_reloading(run->admin, reload_waits_for(&run->reload));
	if (run->switching)
		switch_over(run);
	if (is_reloading(run))
		return;
	/* Who asks while one is under way is answered by the next: the files may have changed since. */
	run->reload_asked |= control_take_reload(&run->control);
	if (!run->reload_asked)
		return;
	run->reload_asked = false;
	if (run->deadline == 0)
		begin_reload(run);
	else
		control_answer(
			&run->control, false, "the reload was refused: the daemon is ending", NULL);
}

static void heed_signals(struct run *run)
{
	if (run->signals.ends > 0 && run->deadline == 0) {
		begin_drain(run);
		reload_abandon(&run->reload);
	}
	if (run->signals.reopen || control_take_reopen(&run->control)) {
		run->signals.reopen = false;
		log_say(&run->log, LOG_LEVEL_INFO, "reopening the files of sinks");
		workers_reopen(&run->workers);
	}
	run->reload_asked |= run->signals.reload;
	run->signals.reload = false;
	heed_reload(run);
}

static bool is_over(const struct run *run)
{
	return (workers_finished(&run->workers) && !is_reloading(run)) || run->reload.broken ||
	       run->signals.ends > 1 || (run->deadline > 0 && loop_now(run->loop) >= run->deadline);
}

static int shorter(int a, int b)
{
	return b >= 0 && (a < 0 || b < a) ? b : a;
}

static int patience(struct run *run)
{
	const uint64_t now = loop_now(run->loop);
	const int repeats = log_tell_repeats(&run->log);

	if (reload_is_due(&run->reload))
		return 0;
	if (run->switching)
		return shorter(SWITCH_MS, repeats);
	if (run->deadline == 0)
		return repeats;
	return shorter(run->deadline > now ? (int)(run->deadline - now) : 0, repeats);
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
static struct undelivered undelivered(const struct run *run)
{
	const struct plan *plan = plan_of(run);
	struct undelivered sum = run->reload.left;

	for (size_t i = 0; i < plan->count; i++)
		undelivered_add(&sum, plan->pipelines[i]);
	return sum;
}

static enum exit_status judge_cut_short(struct run *run)
{
	const struct undelivered left = undelivered(run);

	if (!undelivered_any(&left))
		return STATUS_FINE;
	undelivered_say(&left, &run->log,
		run->signals.ends > 1 ? "the drain was cut short"
				      : "the drain deadline has passed");
	return STATUS_UNDELIVERED;
}

static enum exit_status judge_finished(const struct run *run)
{
	if (run->deadline > 0)
		return STATUS_FINE;
	if (run->reload.unread || left_files_unread(plan_of(run)))
		return STATUS_CANNOT_OPEN;
	return run->reload.bad_data || lost_bad_data(plan_of(run)) ? STATUS_BAD_DATA : STATUS_FINE;
}

static void tell_repeats_later(void *context)
{
	workers_ring(context);
}

static void print_summary(struct run *run, uint64_t ns)
{
	const struct plan *plan = run->latest->configuration.plan;

	if (run->line->quiet)
		return;
	char *text = run->log.format == LOG_JSON ? summary_json(plan)
						 : summary_text(plan, loop_backend(run->loop), ns);
	log_text(&run->log, text ? text : "no summary: not enough memory\n");
	free(text);
}

static void close_admin(struct run *run)
{
	control_give_up(&run->control);
	admin_close(run->admin);
	run->admin = NULL;
}

static enum exit_status run_to_the_end(struct run *run)
{
	run->started = uv_hrtime();
	run->reload = (struct reload){ .log = &run->log,
		.workers = &run->workers,
		.latest = &run->latest,
		.path = command_line_configuration(run->line),
		.threads = plan_threads(plan_of(run)),
		.number = 1 };
	log_wake_by(&run->log, tell_repeats_later, &run->workers);
	say_started(run);
	progress_open(&run->progress, &run->log, run->loop, run->latest->configuration.plan);
	watchdog_open(&run->watchdog, &run->workers, run->loop, &run->log);
	while (!is_over(run)) {
		workers_turn(&run->workers, patience(run));
		heed_signals(run);
	}
	const uint64_t ns = uv_hrtime() - run->started;
	progress_close(&run->progress);
	watchdog_close(&run->watchdog);
	close_admin(run);
	log_wake_by(&run->log, NULL, NULL);
	const bool finished = workers_finished(&run->workers);
	(void)workers_stop(&run->workers); /* asked again when all is closed */
	reload_close(&run->reload);
	const enum exit_status status = run->reload.broken ? STATUS_CANNOT_OPEN
					: finished         ? judge_finished(run)
							   : judge_cut_short(run);
	log_settle(&run->log);
	print_summary(run, ns);
	return status;
}

/* What the kernel still holds, only the end of the process frees. */
static void close_all(struct run *run)
{
	close_admin(run);
	if (!workers_stop(&run->workers))
		return;
	signals_close(&run->signals);
	workers_close(&run->workers);
	loop_destroy(run->loop);
	generations_close(run->latest);
	activation_close();
}

enum exit_status run(const struct command_line *line)
{
	struct run run = { .line = line };
	enum exit_status status;

	activation_take(ACTIVATION_FIRST);
	control_open(&run.control);
	descriptors_raise_limit();
	log_open(&run.log, STDERR_FILENO, (enum log_format)line->log_format,
		(enum log_level)line->log_level);
	status = read_configuration(&run);
	if (status == STATUS_FINE)
		status = make_loop(&run);
	if (status == STATUS_FINE)
		status = open_workers(&run);
	if (status == STATUS_FINE)
		status = run_to_the_end(&run);
	close_all(&run);
	control_close(&run.control);
	log_settle(&run.log);
	return status;
}
