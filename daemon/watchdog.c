/* The watchdog. */
#include "daemon/watchdog.h"

#include "daemon/notify.h"
#include "pipeline/io/loop.h"

enum { TICKS_AN_INTERVAL = 4 };

static void worry(struct watchdog *watchdog)
{
	if (!watchdog->worried)
		log_say(watchdog->log, LOG_LEVEL_WARNING,
			"a worker has not turned for a while: until it does, the service manager "
			"is "
			"not told that all is well");
	watchdog->worried = true;
}

static void on_time(uv_timer_t *timer)
{
	struct watchdog *watchdog = timer->data;

	if (!workers_turned(watchdog->workers)) {
		worry(watchdog);
		return;
	}
	watchdog->worried = false;
	notify("WATCHDOG=1");
}

static void on_closed(uv_handle_t *handle)
{
	struct watchdog *watchdog = handle->data;

	watchdog->open = false;
}

void watchdog_open(
	struct watchdog *watchdog, struct workers *workers, struct loop *loop, struct log *log)
{
	const uint64_t interval = notify_watchdog_interval();
	uint64_t tick = interval / TICKS_AN_INTERVAL;

	*watchdog = (struct watchdog){ .workers = workers, .loop = loop, .log = log };
	if (interval == 0 || uv_timer_init(loop_uv(loop), &watchdog->timer) != 0)
		return;
	if (tick == 0)
		tick = 1;
	watchdog->timer.data = watchdog;
	watchdog->open = true;
	uv_timer_start(&watchdog->timer, on_time, tick, tick);
}

void watchdog_close(struct watchdog *watchdog)
{
	if (!watchdog->open)
		return;
	uv_close((uv_handle_t *)&watchdog->timer, on_closed);
	while (watchdog->open)
		loop_turn(watchdog->loop, 0);
}
