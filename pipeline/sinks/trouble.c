/* Trouble. */

#include "pipeline/sinks/trouble.h"

#include <inttypes.h>

enum { INTERVAL_MS = 60 * 1000, MOST_NAMES = 200 };

static uint64_t interval_for_tests;

void trouble_set_interval_for_tests(uint64_t ms)
{
	interval_for_tests = ms;
}

static uint64_t interval(void)
{
	return interval_for_tests ? interval_for_tests : INTERVAL_MS;
}

static void remind(
	struct trouble *trouble, struct node *node, enum log_level level, const char *what)
{
	char held[MOST_NAMES];
	bool holds = node_holds_up(node, held, sizeof(held));

	trouble->said = node_now(node);
	node_log(node, level, "%s; for %" PRIu64 " s now, %" PRIu64 " times%s%s", what,
		(trouble->said - trouble->since) / 1000, trouble->times,
		holds ? "; it holds up " : "", holds ? held : "");
}

void trouble_meet(struct trouble *trouble, struct node *node, enum log_level level,
	const char *what, const char *next)
{
	uint64_t now = node_now(node);

	if (!trouble->lasts) {
		*trouble = (struct trouble){ .lasts = true, .since = now, .said = now, .times = 1 };
		node_log(node, level, "%s; %s", what, next);
		return;
	}
	trouble->times++;
	if (now >= trouble->said + interval())
		remind(trouble, node, level, what);
}

uint64_t trouble_end(struct trouble *trouble, const struct node *node)
{
	trouble->lasts = false;
	return node_now(node) - trouble->since;
}
