/* Status: a snapshot as one JSON object, for `viewduct status`, `top` and the page.
 *
 *     { "version", "backend", "workers", "generation", "uptime_seconds", "reload": {…}, "over_seconds",
 *       "taps": [ {"node", "places", "passed", "missed"} ],
 *       "pipelines": [ { "name", "shards", "pool": {"buffers", "used", "most_used", "size"},
 *         "nodes": [ { "name", "kind", "role", "depth", "to": [names], "up", "records_in", …, "blocked_ms", "rates": {…} } ] } ] }
 */
#pragma once

#include "daemon/metrics.h"
#include "daemon/taps.h"

struct status_about {
	struct metrics_about metrics;
	double uptime;           /* seconds */
	const char *last_reload; /* what came of it; NULL: there was none */
	int64_t last_reload_at;  /* seconds since 1970 */
	bool reloading;          /* one is under way */
	const char *waits_for;   /* the sinks that it waits for; "": for none yet */
	struct tapped_node taps[TAPS_MOST];
	size_t tap_count;
};

/* `before`: an older snapshot, for rates; NULL: none, and they are 0. Allocated; NULL without memory. */
char *status_json(const struct snapshot *snapshot, const struct snapshot *before,
	const struct status_about *about);
