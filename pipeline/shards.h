/* Shards: a pipeline that runs several times side by side, and the threads that pipelines belong to. */
#pragma once

#include "pipeline/plan.h"

/* How often the pipeline's configuration asks for it; 1 where that is wrong or not said. */
uint32_t shards_asked_for(const struct value *pipeline);

/* The option of a sink that names its file; NULL if it has none. */
const struct option *shards_path_option(const struct node *node);

/* Puts the shard's number in the place of {shard} in the paths of sinks. */
void shards_name_paths(const struct pipeline *pipeline);

/* Refuses sources that cannot be opened several times, and sinks that all shards would share. */
void shards_check(const struct pipeline *pipeline, struct faults *faults);

/* Divides the pipelines among threads: as many as are asked for (0: one a core of the cgroup), at most one each. */
void shards_assign(struct plan *plan);
