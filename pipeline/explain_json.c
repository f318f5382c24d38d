/* explain --format json: the same as the text, for programs. */

#include "pipeline/explain.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "pipeline/holds.h"
#include "pipeline/tap.h"

/* cJSON bears being given NULL; that something was lost for want of memory is kept here. */
struct telling {
	bool whole;
};

static cJSON *keep(struct telling *telling, cJSON *item)
{
	telling->whole &= item != NULL;
	return item;
}

static void add_text(struct telling *telling, cJSON *object, const char *key, const char *text)
{
	keep(telling, text ? cJSON_AddStringToObject(object, key, text)
			   : cJSON_AddNullToObject(object, key));
}

static void add_number(struct telling *telling, cJSON *object, const char *key, uint64_t number)
{
	keep(telling, cJSON_AddNumberToObject(object, key, (double)number));
}

static void add_item(struct telling *telling, cJSON *list, cJSON *item)
{
	if (cJSON_AddItemToArray(list, keep(telling, item)))
		return;
	telling->whole = false;
	cJSON_Delete(item);
}

static void add_framing(struct telling *telling, cJSON *object, const struct framing *framing)
{
	char *text = NULL;
	size_t size;
	FILE *out = framing ? open_memstream(&text, &size) : NULL;
	if (out) {
		explain_framing(out, framing);
		telling->whole &= fclose(out) == 0;
	}
	telling->whole &= !framing || text;
	add_text(telling, object, "framing", text);
	free(text);
}

static void add_when_full(struct telling *telling, cJSON *object, const struct node *sink)
{
	const struct pipeline *pipeline = sink->pipeline;
	add_text(telling, object, "when_full", holds_on_drop(sink) ? "drop" : "block");
	cJSON *list = keep(telling, cJSON_AddArrayToObject(object, "can_hold_up"));
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (holds_up(sink, pipeline->nodes[i]))
			add_item(telling, list, cJSON_CreateString(pipeline->nodes[i]->name));
}

static cJSON *node_object(struct telling *telling, const struct node *node)
{
	static const char *const roles[] = { "source", "stage", "tee", "sink" };
	const struct edge *edge = explain_edge(node);
	cJSON *object = keep(telling, cJSON_CreateObject());
	add_text(telling, object, "name", node->name);
	add_text(telling, object, "kind", node->type->name);
	add_text(telling, object, "role", roles[node->role]);
	add_number(telling, object, "depth", holds_depth(node));
	add_text(telling, object, "flow", explain_flow(edge->kind));
	add_framing(telling, object, edge->consumer->framing);
	add_text(telling, object, "how", node->how);
	add_text(telling, object, "copies", node->copies_why[0] ? node->copies_why : "0");
	if (node->role == NODE_SINK)
		add_when_full(telling, object, node);
	return object;
}

static cJSON *pipeline_object(struct telling *telling, const struct pipeline *pipeline)
{
	cJSON *object = keep(telling, cJSON_CreateObject());
	add_text(telling, object, "name", pipeline->name);
	add_number(telling, object, "shards", pipeline->shards);
	if (pipeline->memory)
		add_number(telling, object, "memory", pipeline->memory);
	cJSON *pool = keep(telling, cJSON_AddObjectToObject(object, "pool"));
	add_number(telling, pool, "buffers", pipeline->buffers);
	add_number(telling, pool, "buffer", pipeline->buffer_size);
	add_number(telling, pool, "bytes",
		(uint64_t)pipeline->buffers * pool_buffer_cost(pipeline->buffer_size));
	add_number(telling, object, "charges", pipeline->charges);
	if (explain_has_records(pipeline))
		add_number(telling, object, "max_record", pipeline->max_record);
	cJSON *nodes = keep(telling, cJSON_AddArrayToObject(object, "nodes"));
	for (size_t i = 0; i < pipeline->node_count; i++)
		add_item(telling, nodes, node_object(telling, pipeline->nodes[i]));
	return object;
}

char *plan_explain_json(const struct plan *plan, const char *backend, const char *why)
{
	struct telling all = { .whole = true }, *telling = &all;
	cJSON *object = keep(telling, cJSON_CreateObject());
	add_text(telling, object, "backend", backend);
	add_text(telling, object, "why", why);
	add_number(telling, object, "workers", plan->workers);
	add_number(telling, object, "memory", plan->service.memory);
	add_number(telling, object, "reserve", explain_reserve(plan));
	if (plan->service.admin.enabled)
		add_number(telling, object, "tap", TAP_MOST);
	cJSON *pipelines = keep(telling, cJSON_AddArrayToObject(object, "pipelines"));
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == 0)
			add_item(telling, pipelines, pipeline_object(telling, plan->pipelines[i]));
	char *text = all.whole ? cJSON_Print(object) : NULL;
	cJSON_Delete(object);
	return text;
}
