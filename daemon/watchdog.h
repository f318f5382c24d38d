/* The watchdog: tells the service manager that all is well, as long as it is (sd_notify(3), WATCHDOG=1).
 *
 * The word comes from the loops themselves. A timer of the first worker's loop asks the others to turn, and sends when
 * all have: four times in the interval that the service manager gave ($WATCHDOG_USEC), so that one late turn is no end.
 * A loop that turns no more, the first or another, silences it, and the service manager does what it is there for.
 */
#pragma once

#include "daemon/workers.h"

struct watchdog {
	uv_timer_t timer;
	struct workers *workers;
	struct loop *loop; /* of the first worker */
	struct log *log;
	bool open;
	bool worried; /* it was said that a worker does not turn */
};

/* Does nothing where the service manager does not ask for it. */
void watchdog_open(
	struct watchdog *watchdog, struct workers *workers, struct loop *loop, struct log *log);
void watchdog_close(struct watchdog *watchdog);
