/* Every kind of node there is: a new one is its file and its name here. */
#pragma once

#include "pipeline/node.h"

#define EACH_SOURCE(X) X(tcp) X(unix) X(udp) X(file) X(stdin) X(generate)
#define EACH_STAGE(X) X(split) X(filter) X(join) X(compress) X(decompress)
#define EACH_SINK(X) X(file) X(tcp) X(unix) X(udp) X(stdout) X(null)

/* Of one role, with those that a test adds. */
enum { REGISTRY_MOST = 64 };

#define DECLARE_SOURCE(name) extern const struct source_ops source_##name;
#define DECLARE_STAGE(name) extern const struct stage_ops stage_##name;
#define DECLARE_SINK(name) extern const struct sink_ops sink_##name;
EACH_SOURCE(DECLARE_SOURCE)
EACH_STAGE(DECLARE_STAGE)
EACH_SINK(DECLARE_SINK)

/* The kind of a name; NULL if there is none. The ops struct begins with its type. */
const struct source_ops *registry_source(const char *name);
const struct stage_ops *registry_stage(const char *name);
const struct sink_ops *registry_sink(const char *name);

/* All names of a role, NULL-ended, in the registry's order. */
const char *const *registry_sources(void);
const char *const *registry_stages(void);
const char *const *registry_sinks(void);

/* Adds kinds for a test, in front of the others; each list ends with NULL. */
void registry_add_for_tests(const struct source_ops *const *sources,
	const struct stage_ops *const *stages, const struct sink_ops *const *sinks);
