/* What the daemon heeds between its turns. */
#include "daemon/heed.h"

#include "daemon/notify.h"
#include "pipeline/io/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum { STOP_MS = 5000 /* what a drain takes beyond its time, at most */ };

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
	const uint64_t drain = daemon_plan(daemon)->service.drain;

	daemon->deadline = now + drain;
	log_say(&daemon->log, LOG_LEVEL_INFO, "draining, for %" PRIu64 " ms at most", drain);
	tell_stopping(drain);
	workers_drain(&daemon->workers, now + drain / 2);
}

bool heed_is_reloading(const struct daemon *daemon)
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
	daemon->told_waits_for = NULL;
	if (reload_begin(&daemon->reload))
		admin_tell_reloading(daemon->admin, NULL);
	else
		tell_reload(daemon);
}

/* Only what is new: the admin server may hold its lock while it writes an answer. */
static void tell_waiting(struct daemon *daemon)
{
	const char *waits_for = reload_waits_for(&daemon->reload);

	if (waits_for == daemon->told_waits_for)
		return;
	daemon->told_waits_for = waits_for;
	admin_tell_reloading(daemon->admin, waits_for);
}

/* Whoever looks at counters has to let go of the plan that was, before it can be freed. */
static void switch_over(struct daemon *daemon)
{
	if (!workers_follow(&daemon->workers, daemon_plan(daemon)))
		return;
	daemon->switching = false;
	daemon->progress.plan = daemon_plan(daemon);
	generations_sweep(daemon->latest);
	tell_reload(daemon);
}

static void heed_reload(struct daemon *daemon)
{
	if (reload_is_under_way(&daemon->reload) && reload_step(&daemon->reload))
		daemon->switching = true;
	if (reload_is_under_way(&daemon->reload))
		tell_waiting(daemon);
	if (daemon->switching)
		switch_over(daemon);
	if (heed_is_reloading(daemon))
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

void heed_signals(struct daemon *daemon)
{
	if (daemon->signals.ends > 0 && daemon->deadline == 0) {
		begin_drain(daemon);
		reload_abandon(&daemon->reload);
	}
	if (daemon->signals.reopen || control_take_reopen(&daemon->control)) {
		daemon->signals.reopen = false;
		log_say(&daemon->log, LOG_LEVEL_INFO, "reopening the files of sinks");
		workers_reopen(&daemon->workers);
	}
	daemon->reload_asked |= daemon->signals.reload;
	daemon->signals.reload = false;
	heed_reload(daemon);
}
