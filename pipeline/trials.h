/* Trials: the "tests" of a configuration, which say what comes out of a pipeline for what goes in.
 *
 *     { "name": "errors only", "pipeline": "errors", "in": [ "an ERROR\n" ], "out": { "errors.to.0": [ "an ERROR\n" ] } }
 *
 * They are read and checked with every plan, and run by `viewduct test` alone.
 */
#pragma once

#include "pipeline/plan.h"

/* What a source gives, or a sink has to get. */
struct trial_flow {
	const char *node; /* in full */
	struct bytes *items;
	size_t count;
};

struct trial {
	const char *name;
	const struct value *value;
	const struct pipeline *pipeline; /* its first shard */
	struct trial_flow *in, *out;
	size_t in_count, out_count;
};

/* The options of one, beside "in" and "out". */
extern const struct option trial_options[];

/* Reads them into the plan, whose pipelines have been read. */
void trials_read(struct plan *plan, struct faults *faults);
