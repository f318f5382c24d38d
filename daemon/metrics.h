/* Metrics: a snapshot in the text format of Prometheus (version 0.0.4). Every family is there from the start, and which
 * series there are is fixed by the configuration. */
#pragma once

#include "daemon/counters.h"

/* What is known of the process beside its pipelines. */
struct metrics_about {
	const char *backend; /* "uring" or "epoll" */
	uint64_t generation; /* of the configuration: 1 at start, one more with each reload */
	uint64_t reload_failures;
};

/* Allocated; NULL without memory. */
char *metrics_text(const struct snapshot *snapshot, const struct metrics_about *about);
