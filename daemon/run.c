/* `viewduct run`: start, turns, end. */
#include "daemon/run.h"

#include "daemon/daemon.h"
#include "daemon/descriptors.h"
#include "daemon/heed.h"
#include "daemon/judge.h"
#include "daemon/start.h"
#include "daemon/summary.h"
#include "pipeline/io/activation.h"
#include "pipeline/io/loop.h"

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { SWITCH_MS = 10 };

static bool is_over(const struct daemon *daemon)
{
	return (workers_finished(&daemon->workers) && !heed_is_reloading(daemon)) ||
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

static void tell_repeats_later(void *context)
{
	workers_ring(context);
}

static void print_summary(struct daemon *daemon, uint64_t ns)
{
	const struct plan *plan = daemon_plan(daemon);

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
		.threads = plan_threads(daemon_plan(daemon)),
		.number = 1 };
	log_wake_by(&daemon->log, tell_repeats_later, &daemon->workers);
	progress_open(&daemon->progress, &daemon->log, daemon->loop, daemon_plan(daemon));
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
	const enum exit_status status = judge(daemon, finished);
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
	status = start(&daemon);
	if (status == STATUS_FINE)
		status = run_to_the_end(&daemon);
	close_all(&daemon);
	control_close(&daemon.control);
	log_settle(&daemon.log);
	return status;
}
