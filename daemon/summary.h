/* The summary of a run: what every node took and gave. */
#pragma once

#include "pipeline/plan.h"

/* A small table for people. `ns`: how long the run took. Allocated; NULL without memory. */
char *summary_text(const struct plan *plan, const char *backend, uint64_t ns);

/* One object on one line: {"event":"summary","nodes":{NAME:{…}}}. Allocated; NULL without memory. */
char *summary_json(const struct plan *plan);
