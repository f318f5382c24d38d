/* explain --format json: the same as the text, for programs. */

#include "pipeline/explain.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "pipeline/holds.h"

/* What is explained was planned in little memory; without any the process ends, as while it was read. */
static cJSON *made(cJSON *item)
{
	if (!item)
		abort();
	return item;
}

static void add_text(cJSON *object, const char *key, const char *text)
{
	made(text ? cJSON_AddStringToObject(object, key, text) : cJSON_AddNullToObject(object, key));
}

static void add_number(cJSON *object, const char *key, uint64_t number)
{
	made(cJSON_AddNumberToObject(object, key, (double)number));
}

static void add_framing(cJSON *object, const struct framing *framing)
{
	char *text = NULL;
	size_t size;
	FILE *out = framing ? open_memstream(&text, &size) : NULL;
	if (out) {
		explain_framing(out, framing);
		fclose(out);
	}
	add_text(object, "framing", text);
	free(text);
}

static void add_when_full(cJSON *object, const struct node *sink)
{
	const struct pipeline *pipeline = sink->pipeline;
	add_text(object, "when_full", holds_on_drop(sink) ? "drop" : "block");
	cJSON *list = made(cJSON_AddArrayToObject(object, "can_hold_up"));
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (holds_up(sink, pipeline->nodes[i]))
			cJSON_AddItemToArray(
				list, made(cJSON_CreateString(pipeline->nodes[i]->name)));
}

static cJSON *node_object(const struct node *node)
{
	static const char *const roles[] = { "source", "stage", "tee", "sink" };
	const struct edge *edge = explain_edge(node);
	cJSON *object = made(cJSON_CreateObject());
	add_text(object, "name", node->name);
	add_text(object, "kind", node->type->name);
	add_text(object, "role", roles[node->role]);
	add_number(object, "depth", holds_depth(node));
	add_text(object, "flow", explain_flow(edge));
	add_framing(object, edge->consumer->framing);
	add_text(object, "how", node->how);
	add_text(object, "copies", node->copies_why[0] ? node->copies_why : "0");
	if (node->role == NODE_SINK)
		add_when_full(object, node);
	return object;
}

static cJSON *pipeline_object(const struct pipeline *pipeline)
{
	cJSON *object = made(cJSON_CreateObject());
	add_text(object, "name", pipeline->name);
	if (pipeline->memory)
		add_number(object, "memory", pipeline->memory);
	cJSON *pool = made(cJSON_AddObjectToObject(object, "pool"));
	add_number(pool, "buffers", pipeline->buffers);
	add_number(pool, "buffer", pipeline->buffer_size);
	add_number(pool, "bytes", (uint64_t)pipeline->buffers * pool_buffer_cost(pipeline->buffer_size));
	add_number(object, "charges", pipeline->charges);
	if (explain_has_records(pipeline))
		add_number(object, "max_record", pipeline->max_record);
	cJSON *nodes = made(cJSON_AddArrayToObject(object, "nodes"));
	for (size_t i = 0; i < pipeline->node_count; i++)
		cJSON_AddItemToArray(nodes, node_object(pipeline->nodes[i]));
	return object;
}

char *plan_explain_json(const struct plan *plan, const char *backend, const char *why)
{
	cJSON *object = made(cJSON_CreateObject());
	add_text(object, "backend", backend);
	add_text(object, "why", why);
	add_number(object, "workers", 1);
	add_number(object, "memory", plan->service.memory);
	add_number(object, "reserve", explain_reserve(plan));
	cJSON *pipelines = made(cJSON_AddArrayToObject(object, "pipelines"));
	for (size_t i = 0; i < plan->count; i++)
		cJSON_AddItemToArray(pipelines, pipeline_object(&plan->pipelines[i]));
	char *text = cJSON_Print(object);
	cJSON_Delete(object);
	return text;
}
