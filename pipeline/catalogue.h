/* What can be written in a configuration beside the nodes' own options. */
#pragma once

#include "config/option.h"

/* Of a pipeline, beside its lists of nodes. */
struct pipeline_keys {
	uint64_t memory; /* 0: a share of the service's */
	uint64_t shards;
};
extern const struct option pipeline_options[];

enum when_full { WHEN_FULL_BLOCK, WHEN_FULL_DROP };

/* Beside a node's kind; when_full only in `to`. */
struct node_keys {
	const char *name; /* NULL: named by its place */
	bool enabled;
	unsigned when_full; /* enum when_full */
};
extern const struct option node_options[];
extern const struct option branch_options[];
