/* Next: a configuration that takes the place of one that runs, or of parts of it. */
#pragma once

#include "tests/support/running.h"

struct next {
	struct document document;
	struct faults faults;
	struct plan *plan;
};

/* Plans it, beside what runs; single quotes stand for double ones. Its first pipeline. */
struct pipeline *next_read(struct next *next, const char *service, const char *pipelines);

/* Closes what runs, and all that were read for it: their nodes may be each other's. */
void next_close_all(struct running *running, struct next *nexts, size_t count);
