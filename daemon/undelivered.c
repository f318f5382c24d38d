/* Undelivered. */
#include "daemon/undelivered.h"

#include "pipeline/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_named(const char *names, const char *name)
{
	const size_t size = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += size)
		if ((at == names || at[-1] == ' ') && (at[size] == ',' || at[size] == '\0'))
			return true;
	return false;
}

/* Shards have the same names: one of each is told. */
static void add_name(struct undelivered *sum, const char *name)
{
	const size_t size = strlen(sum->sinks), room = sizeof(sum->sinks) - size;

	if (strlen(name) + 3 < room && !is_named(sum->sinks, name))
		snprintf(sum->sinks + size, room, "%s%s", size > 0 ? ", " : "", name);
}

static bool waits_for(const struct node *node)
{
	return node->role == NODE_SINK && !node->optional;
}

/* Those that had something before them, or could not write; where all is held further up, any may have held it. */
static bool is_to_blame(const struct node *sink)
{
	return node_undelivered(sink) > 0 || !sink->up;
}

static void add_sinks(struct undelivered *sum, const struct pipeline *pipeline)
{
	bool any = false;

	for (size_t i = 0; i < pipeline->node_count; i++)
		any |= waits_for(pipeline->nodes[i]) && is_to_blame(pipeline->nodes[i]);
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (waits_for(node) && (!any || is_to_blame(node)))
			add_name(sum, node->name);
	}
}

void undelivered_add(struct undelivered *sum, const struct pipeline *pipeline)
{
	const uint64_t records = pipeline_undelivered(pipeline);
	const uint64_t bytes = pipeline_undelivered_bytes(pipeline);
	sum->records += records;
	sum->bytes += bytes;
	if (records > 0 || bytes > 0)
		add_sinks(sum, pipeline);
}

/* Nothing can be read again as long as no source keeps a checkpoint. */
void undelivered_say(const struct undelivered *undelivered, struct log *log, const char *why)
{
	char unsplit[80] = "";

	if (undelivered->bytes > 0)
		snprintf(unsplit, sizeof(unsplit),
			", and %" PRIu64 " bytes that were not split into records",
			undelivered->bytes);
	log_say(log, LOG_LEVEL_ERROR,
		"%s: undelivered=%" PRIu64 " rereadable=0%s; not written by %s", why,
		undelivered->records, unsplit, undelivered->sinks);
}
