/* Generations: the configurations of one run, from the first to the latest. One lives as long as anything of it runs: a
 * pipeline that did not change since, or a source that goes on in a later one. */
#pragma once

#include "daemon/configuration.h"

struct generation {
	struct configuration configuration;
	struct generation *older;
	struct generation *of; /* whose document it has planned again; NULL: its own */
};

/* Reads and plans what `path` holds; NULL without memory. Wrong configurations have no plan, and faults. */
struct generation *generation_read(const char *path);

/* Frees those that are older than `latest` and of which nothing is in its plan any more. */
void generations_sweep(struct generation *latest);

/* Frees one that never ran. */
void generation_discard(struct generation *generation);

/* Frees all, the latest first. NULL is allowed. */
void generations_close(struct generation *latest);
