/* `viewduct run`. */
#include "daemon/run.h"

#include "daemon/admin.h"
#include "daemon/configuration.h"
#include "daemon/descriptors.h"
#include "daemon/notify.h"
#include "daemon/progress.h"
#include "daemon/signals.h"
#include "daemon/summary.h"
#include "daemon/version.h"
#include "daemon/watchdog.h"
#include "daemon/workers.h"
#include "pipeline/io/activation.h"
#include "pipeline/io/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OTHER_THREADS = 4, STOP_MS = 5000 /* what a drain takes beyond its time, at most */ };

struct run {
	const struct command_line *line;
	struct log log;
	struct configuration configuration;
	struct loop *loop;
	struct workers workers;
	struct signals signals;
	struct progress progress;
	struct watchdog watchdog;
	struct admin *admin;
	atomic_bool reopen_asked; /* by the admin server */
	uint64_t started;         /* ns, of uv_hrtime() */
	uint64_t deadline;        /* of the drain; 0: it is not draining */
};

static enum exit_status read_configuration(struct run *run)
{
	const bool fine = configuration_read(
		&run->configuration, command_line_configuration(run->line), true);

	configuration_report(&run->configuration, &run->log);
	return fine ? STATUS_FINE : STATUS_CONFIGURATION;
}

/* libuv reads how many threads it may have when it needs the first: those of codecs, and some for names and files. */
static bool set_threads(const struct plan *plan)
{
	char threads[16];

	snprintf(threads, sizeof(threads), "%" PRIu32, OTHER_THREADS + plan_threads(plan));
	return setenv("UV_THREADPOOL_SIZE", threads, 1) == 0;
}

static enum exit_status make_loop(struct run *run)
{
	const char *why = NULL;

	if (!set_threads(run->configuration.plan)) {
		log_say(&run->log, LOG_LEVEL_ERROR, "not enough memory to start");
		return STATUS_CANNOT_OPEN;
	}

	run->loop = loop_create((enum loop_wish)run->configuration.plan->service.io, &why);
	if (!run->loop) {
		log_say(&run->log, LOG_LEVEL_ERROR,
			"no io_uring: %s; with \"io\": \"auto\" epoll takes its place",
			why ? why : "refused");
		return STATUS_CANNOT_OPEN;
	}
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

	atomic_store(&run->reopen_asked, true);
	workers_ring(&run->workers);
}

static bool open_admin(struct run *run, struct faults *faults)
{
	const struct admin_commands commands = { .context = run, .reopen = ask_reopen };

	return admin_open(&run->admin, &run->configuration.plan->service.admin, &run->workers,
		&commands, &run->log, faults);
}

static enum exit_status open_workers(struct run *run)
{
	struct plan *plan = run->configuration.plan;
	struct faults *faults = &run->configuration.faults;

	if (!signals_open(&run->signals, run->loop)) {
		log_say(&run->log, LOG_LEVEL_ERROR, "not enough memory to start");
		return STATUS_CANNOT_OPEN;
	}
	/* The warnings of the configuration have been said. */
	faults_close(faults);
	*faults = (struct faults){ 0 };
	const bool open = workers_open(&run->workers, plan, run->loop, &run->log, faults) &&
			  open_admin(run, faults);
	configuration_report(&run->configuration, &run->log);
	if (open)
		close_unused_sockets(run);
	return open ? STATUS_FINE : STATUS_CANNOT_OPEN;
}

static void say_started(struct run *run)
{
	const struct plan *plan = run->configuration.plan;

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
	const uint64_t drain = run->configuration.plan->service.drain;

	run->deadline = now + drain;
	log_say(&run->log, LOG_LEVEL_INFO, "draining, for %" PRIu64 " ms at most", drain);
	tell_stopping(drain);
	workers_drain(&run->workers, now + drain / 2);
}

static void heed_signals(struct run *run)
{
	if (run->signals.ends > 0 && run->deadline == 0)
		begin_drain(run);
	if (run->signals.reopen || atomic_exchange(&run->reopen_asked, false)) {
		run->signals.reopen = false;
		log_say(&run->log, LOG_LEVEL_INFO, "reopening the files of sinks");
		workers_reopen(&run->workers);
	}
}

static bool is_over(const struct run *run)
{
	return workers_finished(&run->workers) || run->signals.ends > 1 ||
	       (run->deadline > 0 && loop_now(run->loop) >= run->deadline);
}

static int patience(const struct run *run)
{
	const uint64_t now = loop_now(run->loop);

	if (run->deadline == 0)
		return -1;
	return run->deadline > now ? (int)(run->deadline - now) : 0;
}

static bool lost_bad_data(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const uint64_t *dropped = plan->pipelines[i]->nodes[k]->account.dropped;
			if (dropped[DROP_DAMAGED] || dropped[DROP_FRAMING] ||
				dropped[DROP_INCOMPLETE] || dropped[DROP_PARSE])
				return true;
		}
	return false;
}

/* Known exactly once the workers have ended: what was whole on its way out by then is delivered. */
static uint64_t undelivered(const struct run *run)
{
	const struct plan *plan = run->configuration.plan;
	uint64_t sum = plan_undelivered(plan); /* of workers that could not be closed */

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (!plan->pipelines[i]->nodes[k]->optional)
				sum += plan->pipelines[i]->nodes[k]->account.dropped[DROP_SHUTDOWN];
	return sum;
}

static enum exit_status judge_cut_short(struct run *run)
{
	const uint64_t left = undelivered(run);
	const uint64_t bytes = plan_undelivered_bytes(run->configuration.plan);

	if (left == 0 && bytes == 0)
		return STATUS_FINE;
	/* Nothing can be read again as long as no source keeps a checkpoint. */
	log_say(&run->log, LOG_LEVEL_ERROR,
		"%s: undelivered=%" PRIu64 " rereadable=0, and %" PRIu64
		" bytes that were not split into records",
		run->signals.ends > 1 ? "the drain was cut short" : "the drain deadline has passed",
		left, bytes);
	return STATUS_UNDELIVERED;
}

static enum exit_status judge_finished(const struct run *run)
{
	const bool by_itself = run->deadline == 0;

	return by_itself && lost_bad_data(run->configuration.plan) ? STATUS_BAD_DATA : STATUS_FINE;
}

static void print_summary(struct run *run, uint64_t ns)
{
	const struct plan *plan = run->configuration.plan;

	if (run->line->quiet)
		return;
	char *text = run->log.format == LOG_JSON ? summary_json(plan)
						 : summary_text(plan, loop_backend(run->loop), ns);
	log_text(&run->log, text ? text : "no summary: not enough memory\n");
	free(text);
}

static enum exit_status run_to_the_end(struct run *run)
{
	run->started = uv_hrtime();
	say_started(run);
	progress_open(&run->progress, &run->log, run->loop, run->configuration.plan);
	watchdog_open(&run->watchdog, &run->workers, run->loop, &run->log);
	while (!is_over(run)) {
		workers_turn(&run->workers, patience(run));
		heed_signals(run);
	}
	const uint64_t ns = uv_hrtime() - run->started;
	progress_close(&run->progress);
	watchdog_close(&run->watchdog);
	admin_close(run->admin);
	run->admin = NULL;
	const bool finished = workers_finished(&run->workers);
	(void)workers_stop(&run->workers); /* asked again when all is closed */
	const enum exit_status status = finished ? judge_finished(run) : judge_cut_short(run);
	print_summary(run, ns);
	return status;
}

/* What the kernel still holds, only the end of the process frees. */
static void close_all(struct run *run)
{
	admin_close(run->admin);
	if (!workers_stop(&run->workers))
		return;
	signals_close(&run->signals);
	workers_close(&run->workers);
	loop_destroy(run->loop);
	configuration_close(&run->configuration);
	activation_close();
}

enum exit_status run(const struct command_line *line)
{
	struct run run = { .line = line };
	enum exit_status status;

	activation_take(ACTIVATION_FIRST);
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
	return status;
}
