/* Shards: asked for, checked, named, and divided among threads. */

#include "pipeline/shards.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/arena.h"
#include "pipeline/catalogue.h"

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
		const char *at = path && *path ? strstr(*path, mark) : NULL;
		if (at)
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

/* The folder of this cgroup (version 2), as /proc names it: "" where it does not. */
static void find_cgroup(char folder[512])
{
	char line[512] = "";
	FILE *self = fopen("/proc/self/cgroup", "re");
	folder[0] = '\0';
	if (!self)
		return;
	if (fgets(line, sizeof(line), self) && strncmp(line, "0::", 3) == 0)
		snprintf(folder, 512, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	fclose(self);
}

/* Where we are, or else at the root of what we see: in a container the name is another one than in /proc. */
static FILE *open_cpu_max(void)
{
	char folder[512], path[640];
	find_cgroup(folder);
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", folder);
	if (access(path, R_OK) != 0)
		return fopen("/sys/fs/cgroup/cpu.max", "re");
	return fopen(path, "re");
}

/* Whole processors that the cgroup lets us use; `all` if it says nothing. */
static uint32_t cgroup_cores(uint32_t all)
{
	FILE *file = open_cpu_max();
	char line[64] = "", *end = line;
	if (!file)
		return all;
	bool read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	unsigned long long quota = read ? strtoull(line, &end, 10) : 0; /* "max": 0 */
	unsigned long long period = strtoull(end, NULL, 10);
	if (quota == 0 || period == 0)
		return all;
	unsigned long long cores = (quota + period - 1) / period;
	return cores > 0 && cores < all ? (uint32_t)cores : all;
}

static uint32_t cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return cgroup_cores((uint32_t)CPU_COUNT(&set));
}

void shards_assign(struct plan *plan)
{
	uint64_t workers = plan->service.workers ? plan->service.workers : cores();
	plan->workers = workers < plan->count ? (uint32_t)workers : (uint32_t)plan->count;
	for (size_t i = 0; i < plan->count; i++)
		plan->pipelines[i]->worker = (uint32_t)(i % plan->workers);
}
