/* Status: a snapshot as one JSON object, for `viewduct status`, `top` and the page.
 *
 *     { "version", "backend", "workers", "generation", "uptime_seconds", "reload": {…}, "over_seconds",
 *       "pipelines": [ { "name", "shards", "pool": {"buffers", "used", "most_used", "size"},
 *         "nodes": [ { "name", "kind", "role", "depth", "to": [names], "up", "records_in", …, "blocked_ms", "rates": {…} } ] } ] }
 */
#pragma once

#include "daemon/metrics.h"

struct status_about {
	struct metrics_about metrics;
	double uptime;           /* seconds */
	const char *last_reload; /* what came of it; NULL: there was none */
	int64_t last_reload_at;  /* seconds since 1970 */
};

/* `before`: an older snapshot, for rates; NULL: none, and they are 0. Allocated; NULL without memory. */
char *status_json(const struct snapshot *snapshot, const struct snapshot *before,
	const struct status_about *about);
