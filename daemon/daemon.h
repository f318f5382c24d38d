/* What the process holds while it runs: private to the files that start it, turn, heed and judge. */
#pragma once

#include "daemon/admin.h"
#include "daemon/command_line.h"
#include "daemon/control.h"
#include "daemon/exit_status.h"
#include "daemon/progress.h"
#include "daemon/reload.h"
#include "daemon/signals.h"
#include "daemon/watchdog.h"
#include "daemon/workers.h"

struct daemon {
	const struct command_line *line;
	struct log log;
	struct generation *latest; /* configuration */
	struct reload reload;
	bool reload_asked, switching; /* the counters have yet to follow a reload */
	const char *told_waits_for;   /* for whom the admin server knows that a reload waits */
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

/* The plan that runs. */
static inline struct plan *daemon_plan(const struct daemon *daemon)
{
	return daemon->latest->configuration.plan;
}
