/* Status. */
#include "daemon/status.h"

#include "daemon/version.h"
#include "pipeline/holds.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* cJSON bears being given NULL; what was lost for want of memory shows in the end. */
struct telling {
	const struct snapshot *snapshot, *before;
	double over; /* seconds between them */
};

static void number(cJSON *object, const char *key, uint64_t value)
{
	cJSON_AddNumberToObject(object, key, (double)value);
}

static void add_dropped(cJSON *object, const struct node_report *report)
{
	cJSON *dropped = cJSON_AddObjectToObject(object, "dropped");

	for (unsigned i = 0; i < DROP_REASONS; i++)
		if (report->account.dropped[i] > 0)
			number(dropped, drop_reason_name((enum drop_reason)i),
				report->account.dropped[i]);
}

static void add_copied(cJSON *object, const struct node_report *report)
{
	cJSON *copied = cJSON_AddObjectToObject(object, "copied");

	for (unsigned i = 0; i < COPY_REASONS; i++)
		if (report->account.copies.bytes[i] > 0)
			number(copied, copy_reason_name((enum copy_reason)i),
				report->account.copies.bytes[i]);
}

static void add_errors(cJSON *object, const struct node_report *report)
{
	cJSON *errors = cJSON_AddObjectToObject(object, "errors");

	for (unsigned i = 0; i < ERROR_REASONS; i++)
		if (report->account.errors[i] > 0)
			number(errors, error_reason_name((enum error_reason)i),
				report->account.errors[i]);
}

static uint64_t lost(const struct node_report *report)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DROP_REASONS; i++)
		sum += report->account.dropped[i];
	return sum;
}

static void add_rate(
	const struct telling *telling, cJSON *rates, const char *key, uint64_t now, uint64_t before)
{
	cJSON_AddNumberToObject(
		rates, key, telling->over > 0 ? (double)(now - before) / telling->over : 0);
}

static void add_rates(const struct telling *telling, cJSON *object, const struct pipeline *pipeline,
	size_t index, const struct node_report *report)
{
	cJSON *rates = cJSON_AddObjectToObject(object, "rates");
	struct node_report before = *report;

	if (telling->before)
		snapshot_node(telling->before, pipeline, index, &before);
	add_rate(telling, rates, "records_in", report->records_in, before.records_in);
	add_rate(telling, rates, "records_out", report->records_out, before.records_out);
	add_rate(telling, rates, "bytes_in", report->bytes_in, before.bytes_in);
	add_rate(telling, rates, "bytes_out", report->bytes_out, before.bytes_out);
	add_rate(telling, rates, "dropped", lost(report), lost(&before));
	/* Part of the time, 0 to 1, in which others had to wait for it. */
	add_rate(telling, rates, "blocked", report->account.blocked, before.account.blocked);
	cJSON *blocked = cJSON_GetObjectItem(rates, "blocked");
	if (blocked)
		cJSON_SetNumberValue(blocked, blocked->valuedouble / 1e3);
}

/* Whom it gives to. */
static void add_next(cJSON *object, const struct node *node)
{
	const struct pipeline *pipeline = node->pipeline;
	cJSON *list = cJSON_AddArrayToObject(object, "to");

	for (size_t i = 0; i < pipeline->edge_count; i++)
		if (node_feeds(node, &pipeline->edges[i]))
			cJSON_AddItemToArray(
				list, cJSON_CreateString(pipeline->edges[i].consumer->name));
}

static cJSON *node_object(
	const struct telling *telling, const struct pipeline *pipeline, size_t index)
{
	static const char *const roles[] = { "source", "stage", "tee", "sink" };
	const struct node *node = pipeline->nodes[index];
	struct node_report report;
	cJSON *object = cJSON_CreateObject();

	snapshot_node(telling->snapshot, pipeline, index, &report);
	cJSON_AddStringToObject(object, "name", node->name);
	cJSON_AddStringToObject(object, "kind", node->type->name);
	cJSON_AddStringToObject(object, "role", roles[node->role]);
	number(object, "depth", holds_depth(node));
	cJSON_AddStringToObject(object, "how", node->how);
	add_next(object, node);
	cJSON_AddBoolToObject(object, "up", report.up);
	number(object, "down_ms", report.down);
	number(object, "connections", report.connections);
	number(object, "records_in", report.records_in);
	number(object, "records_out", report.records_out);
	number(object, "bytes_in", report.bytes_in);
	number(object, "bytes_out", report.bytes_out);
	number(object, "filtered", report.account.filtered);
	number(object, "held", report.held);
	number(object, "pins", report.pins);
	number(object, "unread", report.unread);
	number(object, "reconnects", report.account.reconnects);
	number(object, "blocked_ms", report.account.blocked);
	add_dropped(object, &report);
	add_copied(object, &report);
	add_errors(object, &report);
	add_rates(telling, object, pipeline, index, &report);
	return object;
}

static cJSON *pipeline_object(const struct telling *telling, const struct pipeline *pipeline)
{
	struct pool_report pool;
	cJSON *object = cJSON_CreateObject();

	snapshot_pool(telling->snapshot, pipeline, &pool);
	cJSON_AddStringToObject(object, "name", pipeline->name);
	number(object, "shards", pipeline->shards);
	cJSON *buffers = cJSON_AddObjectToObject(object, "pool");
	number(buffers, "buffers", pool.count);
	number(buffers, "used", pool.count - pool.free);
	number(buffers, "most_used", pool.most_used);
	number(buffers, "size", pool.size);
	cJSON *nodes = cJSON_AddArrayToObject(object, "nodes");
	for (size_t k = 0; k < pipeline->node_count; k++)
		cJSON_AddItemToArray(nodes, node_object(telling, pipeline, k));
	return object;
}

static void add_reload(cJSON *object, const struct status_about *about)
{
	cJSON *reload = cJSON_AddObjectToObject(object, "reload");

	number(reload, "failures", about->metrics.reload_failures);
	cJSON_AddBoolToObject(reload, "in_progress", about->reloading);
	if (about->reloading && *about->waits_for)
		cJSON_AddStringToObject(reload, "waits_for", about->waits_for);
	if (about->last_reload) {
		cJSON_AddStringToObject(reload, "last", about->last_reload);
		cJSON_AddNumberToObject(reload, "at", (double)about->last_reload_at);
	}
}

/* Who looks on: at how many shards, and how much went by. */
static void add_taps(cJSON *object, const struct status_about *about)
{
	cJSON *list = cJSON_AddArrayToObject(object, "taps");

	for (size_t i = 0; i < about->tap_count; i++) {
		const struct tapped_node *tapped = &about->taps[i];
		cJSON *tap = cJSON_CreateObject();
		cJSON_AddStringToObject(tap, "node", tapped->name);
		number(tap, "places", tapped->facts.places);
		number(tap, "passed", tapped->facts.passed);
		number(tap, "missed", tapped->facts.missed);
		cJSON_AddItemToArray(list, tap);
	}
}

char *status_json(const struct snapshot *snapshot, const struct snapshot *before,
	const struct status_about *about)
{
	const struct plan *plan = snapshot->plan;
	const struct telling telling = { .snapshot = snapshot,
		.before = before,
		.over = before ? (double)(snapshot->at - before->at) / 1e3 : 0 };
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "version", version_number);
	cJSON_AddStringToObject(object, "backend", about->metrics.backend);
	number(object, "workers", plan->workers);
	number(object, "generation", about->metrics.generation);
	cJSON_AddNumberToObject(object, "uptime_seconds", about->uptime);
	cJSON_AddNumberToObject(object, "over_seconds", telling.over);
	add_reload(object, about);
	add_taps(object, about);
	cJSON *pipelines = cJSON_AddArrayToObject(object, "pipelines");
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == 0)
			cJSON_AddItemToArray(
				pipelines, pipeline_object(&telling, plan->pipelines[i]));
	char *text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	return text;
}
