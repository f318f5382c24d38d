/* Shards: asked for, checked, named, and divided among threads. */

#include "pipeline/shards.h"

#include <string.h>

#include "config/arena.h"
#include "pipeline/catalogue.h"
#include "pipeline/machine.h"

static const char mark[] = "{shard}";

uint32_t shards_asked_for(const struct value *pipeline)
{
	static const char *const lists[] = { "from", "stages", "to", NULL };
	struct pipeline_keys keys = { .shards = 1 };
	struct faults none = { 0 };
	bool good = pipeline->kind == VALUE_OBJECT && options_read_beside(pipeline_options, lists,
							      pipeline, "a pipeline", &keys, &none);
	faults_close(&none);
	return good ? (uint32_t)keys.shards : 1;
}

const struct option *shards_path_option(const struct node *node)
{
	if (node->role != NODE_SINK || !node->state || !node->type->options)
		return NULL;
	for (const struct option *option = node->type->options; option->name; option++)
		if (option->type == OPTION_STRING && option->is_path)
			return option;
	return NULL;
}

static const char **field_of(const struct node *node, const struct option *option)
{
	return (const char **)(void *)((char *)node->state + option->offset);
}

void shards_name_paths(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct option *option = shards_path_option(pipeline->nodes[i]);
		const char **path = option ? field_of(pipeline->nodes[i], option) : NULL;
		const char *at;
		while (path && *path && (at = strstr(*path, mark)))
			*path = arena_format(pipeline->value->document->arena, "%.*s%u%s",
				(int)(at - *path), *path, pipeline->shard, at + strlen(mark));
	}
}

static void check_source(const struct node *node, struct faults *faults)
{
	if (!source_ops(node)->shards)
		fault_at(faults, value_member(node->pipeline->value, "shards"),
			"leave \"shards\" out, or read from sockets",
			"\"%s\" can be read once only: a pipeline of several shards needs sources "
			"that "
			"are sockets",
			node->name);
}

static void check_sink(const struct node *node, struct faults *faults)
{
	const struct option *option = shards_path_option(node);
	if (strcmp(node->type->name, "stdout") == 0)
		fault_at(faults, node->value, "write to files, or leave \"shards\" out",
			"several shards cannot share standard output");
	const char *path = option ? *field_of(node, option) : NULL;
	if (path && !strstr(path, mark))
		fault_at(faults, option_value(node->type->options, node->value, option->name),
			"put {shard} into the path", "several shards cannot share one file");
}

void shards_check(const struct pipeline *pipeline, struct faults *faults)
{
	if (pipeline->shards < 2)
		return;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SOURCE && node->state)
			check_source(node, faults);
		if (node->role == NODE_SINK && node->state)
			check_sink(node, faults);
	}
}

void shards_assign(struct plan *plan)
{
	uint64_t workers = plan->service.workers ? plan->service.workers : machine_cores();
	plan->workers = workers < plan->count ? (uint32_t)workers : (uint32_t)plan->count;
	for (size_t i = 0; i < plan->count; i++)
		plan->pipelines[i]->worker = (uint32_t)(i % plan->workers);
}
