/* The registry: the kinds of each role, found by name. */

#include "pipeline/registry.h"

#include <assert.h>
#include <string.h>

/* The kinds of a role and their names, in the same order; each ends with NULL. */
struct kinds {
	const struct node_type *types[REGISTRY_MOST];
	const char *names[REGISTRY_MOST];
};

#define SOURCE_TYPE(name) &source_##name.type,
#define STAGE_TYPE(name) &stage_##name.type,
#define SINK_TYPE(name) &sink_##name.type,
#define KIND_NAME(name) #name,

static struct kinds sources = { { EACH_SOURCE(SOURCE_TYPE) }, { EACH_SOURCE(KIND_NAME) } };
static struct kinds stages = { { EACH_STAGE(STAGE_TYPE) }, { EACH_STAGE(KIND_NAME) } };
static struct kinds sinks = { { EACH_SINK(SINK_TYPE) }, { EACH_SINK(KIND_NAME) } };

static size_t count(const struct kinds *kinds)
{
	size_t count = 0;
	while (kinds->types[count])
		count++;
	return count;
}

static const struct node_type *find(const struct kinds *kinds, const char *name)
{
	for (size_t i = 0; kinds->types[i]; i++)
		if (strcmp(kinds->names[i], name) == 0)
			return kinds->types[i];
	return NULL;
}

const struct source_ops *registry_source(const char *name)
{
	return (const struct source_ops *)find(&sources, name);
}

const struct stage_ops *registry_stage(const char *name)
{
	return (const struct stage_ops *)find(&stages, name);
}

const struct sink_ops *registry_sink(const char *name)
{
	return (const struct sink_ops *)find(&sinks, name);
}

const char *const *registry_sources(void)
{
	return sources.names;
}

const char *const *registry_stages(void)
{
	return stages.names;
}

const char *const *registry_sinks(void)
{
	return sinks.names;
}

static void take_out(struct kinds *kinds, const char *name)
{
	size_t at = 0;
	while (kinds->types[at] && strcmp(kinds->names[at], name) != 0)
		at++;
	for (; kinds->types[at]; at++) {
		kinds->types[at] = kinds->types[at + 1];
		kinds->names[at] = kinds->names[at + 1];
	}
}

/* A kind of the same name gives way. */
static void put_in_front(struct kinds *kinds, const struct node_type *type)
{
	take_out(kinds, type->name);
	size_t last = count(kinds);
	assert(last + 2 <= REGISTRY_MOST);
	for (size_t at = last; at > 0; at--) {
		kinds->types[at] = kinds->types[at - 1];
		kinds->names[at] = kinds->names[at - 1];
	}
	kinds->types[0] = type;
	kinds->names[0] = type->name;
}

void registry_add_for_tests(const struct source_ops *const *more_sources,
	const struct stage_ops *const *more_stages, const struct sink_ops *const *more_sinks)
{
	for (; *more_sources; more_sources++)
		put_in_front(&sources, &(*more_sources)->type);
	for (; *more_stages; more_stages++)
		put_in_front(&stages, &(*more_stages)->type);
	for (; *more_sinks; more_sinks++)
		put_in_front(&sinks, &(*more_sinks)->type);
}
