/* What nodes may ask of the core. */

#include "pipeline/node.h"

#include "pipeline/holds.h"
#include "pipeline/io/loop.h"
#include "pipeline/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { LOG_TEXT = 512 };

static const char *const reasons[DROP_REASONS] = {
	[DROP_WHEN_FULL] = "when_full",
	[DROP_TOO_LONG] = "too_long",
	[DROP_INCOMPLETE] = "incomplete",
	[DROP_CUT] = "cut",
	[DROP_FRAMING] = "framing",
	[DROP_PARSE] = "parse",
	[DROP_DAMAGED] = "damaged",
	[DROP_MEMORY] = "memory",
	[DROP_TOO_BIG_FOR_DATAGRAM] = "too_big_for_datagram",
	[DROP_UNMATCHED] = "unmatched",
	[DROP_SHUTDOWN] = "shutdown",
};

const char *error_reason_name(enum error_reason reason)
{
	static const char *const names[ERROR_REASONS] = {
		[ERROR_OPEN] = "open",
		[ERROR_READ] = "read",
		[ERROR_WRITE] = "write",
		[ERROR_SYNC] = "sync",
		[ERROR_CONNECT] = "connect",
		[ERROR_ACCEPT] = "accept",
	};
	return names[reason];
}

const char *drop_reason_name(enum drop_reason reason)
{
	return reasons[reason];
}

void node_wake(struct node *node)
{
	if (node->pipeline->run)
		node->pipeline->run->ready = true;
}

uint64_t node_now(const struct node *node)
{
	return loop_now(node->loop);
}

static int64_t stopped_at;

int64_t node_time(void)
{
	return stopped_at ? stopped_at : (int64_t)time(NULL);
}

void node_set_time_for_tests(int64_t seconds)
{
	stopped_at = seconds;
}

void node_error(struct node *node, enum error_reason reason)
{
	node->account.errors[reason]++;
}

void node_drop(struct node *node, enum drop_reason reason, uint64_t records)
{
	node->account.dropped[reason] += records;
}

static void say(struct node *node, enum log_level level, const char *text)
{
	if (node->pipeline->engine)
		engine_say(node->pipeline->engine, level, node->pipeline->name, node->name, text);
}

void node_log(struct node *node, enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say(node, level, text);
}

void node_log_gated(
	struct node *node, struct log_gate *gate, enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT], counted[LOG_TEXT + 64];
	uint64_t missed;
	if (!log_gate_open(gate, node_now(node), &missed))
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(counted, sizeof(counted), "%s (%" PRIu64 " more since the last such line)", text,
		missed);
	say(node, level, missed > 0 ? counted : text);
}

bool node_fault(
	const struct node *node, struct faults *faults, const char *remedy, const char *format, ...)
{
	char text[LOG_TEXT];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return fault_at(faults, NULL, remedy, "%s: %s", node->name, text);
}

void node_end_run(struct node *node)
{
	if (node->pipeline->engine)
		engine_want_end(node->pipeline->engine);
}

bool log_gate_open(struct log_gate *gate, uint64_t now, uint64_t *missed)
{
	if (now < gate->next) {
		gate->missed++;
		return false;
	}
	*missed = gate->missed;
	gate->missed = 0;
	gate->next = now + 1000;
	return true;
}

void node_note(struct node *source, uint32_t stream, uint64_t position)
{
	source->pipeline->run->epoch.noted[stream] = position;
}

uint64_t node_noted(const struct node *source, uint32_t stream)
{
	return source->pipeline->run->epoch.noted[stream];
}

void node_hold_back(struct node *stage, uint32_t stream, uint64_t bytes)
{
	uint64_t *noted = &stage->pipeline->run->epoch.noted[stream];
	*noted -= bytes < *noted ? bytes : *noted;
}

uint32_t node_stream_count(const struct node *node)
{
	return node->pipeline->streams;
}

uint32_t node_buffer_size(const struct node *node)
{
	return node->pipeline->buffer_size;
}

uint64_t node_default_max_record(const struct node *node)
{
	return node->pipeline->max_record;
}

uint64_t node_context_memory(const struct node *node)
{
	const struct pipeline *pipeline = node->pipeline;
	uint64_t alike = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		alike += pipeline->nodes[i]->type == node->type;
	return pipeline->allowance / 2 / (alike ? alike : 1);
}

/* True if the bytes of the source come to the stage: what stands behind a tee gets those of all. */
static bool comes_to(const struct node *source, const struct node *stage)
{
	const struct node *node = source;
	while (node != stage && node->role != NODE_TEE && node->out)
		node = edge_of(node->out)->consumer;
	return node == stage || (node->role == NODE_TEE && holds_depth(stage) > 0);
}

static bool is_listener_of(const struct node *node, const struct node *stage)
{
	return node->role == NODE_SOURCE && node->state && source_ops(node)->sockets &&
	       comes_to(node, stage);
}

static bool lower(struct node *source, uint32_t most, const char *why, struct faults *faults)
{
	const struct source_ops *ops = source_ops(source);
	uint32_t allowed = ops->concurrent ? ops->concurrent(source) : source->stream_count;
	if (allowed <= most || (ops->lower && ops->lower(source, most, why)))
		return true;
	char remedy[64];
	snprintf(
		remedy, sizeof(remedy), "write \"max_connections\": %u, or give more memory", most);
	return fault_at(faults,
		option_value(source->type->options, source->value, "max_connections"), remedy,
		"\"%s\" allows %u connections, but %s", source->name, allowed, why);
}

bool node_lower_connections(
	struct node *stage, uint32_t most, const char *why, struct faults *faults)
{
	const struct pipeline *pipeline = stage->pipeline;
	uint32_t listeners = 0;
	bool good = true;
	for (size_t i = 0; i < pipeline->node_count; i++)
		listeners += is_listener_of(pipeline->nodes[i], stage);
	assert(listeners > 0);
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (is_listener_of(pipeline->nodes[i], stage))
			good = lower(pipeline->nodes[i], most / listeners ? most / listeners : 1,
				       why, faults) &&
			       good;
	return good;
}

uint32_t node_shards(const struct node *node)
{
	return node->pipeline->shards;
}

uint32_t node_shard(const struct node *node)
{
	return node->pipeline->shard;
}

/* Behind a queue without room, or with everything that the pool has, somebody waits. */
static bool is_full(const struct node *sink)
{
	const struct node *producer = edge_of(sink->in)->producer;
	return batch_room(sink->in) < sink->in->room_limit / 2 || pool_available(sink->pool) == 0 ||
	       (producer->in && !batch_empty(producer->in));
}

bool node_holds_up(const struct node *sink, char *names, size_t size)
{
	const struct pipeline *pipeline = sink->pipeline;
	size_t used = 0;
	for (size_t i = 0; is_full(sink) && i < pipeline->node_count; i++) {
		const struct node *other = pipeline->nodes[i];
		if (other->finished || !holds_up(sink, other))
			continue;
		int more = snprintf(
			names + used, size - used, "%s%s", used > 0 ? ", " : "", other->name);
		if (more < 0 || (size_t)more >= size - used) {
			names[used] = '\0';
			break;
		}
		used += (size_t)more;
	}
	return used > 0;
}

struct node *node_frame_maker(const struct node *sink)
{
	const struct edge *edge = edge_of(sink->in);
	while (edge->kind == FLOW_FRAMES && edge->producer->role == NODE_TEE)
		edge = edge_of(edge->producer->in);
	return edge->kind == FLOW_FRAMES ? edge->producer : NULL;
}

static bool any_drops(const struct tee *tee)
{
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].drop)
			return true;
	return false;
}

bool node_is_alone(const struct node *sink)
{
	const struct pipeline *pipeline = sink->pipeline;
	if (!pipeline->engine || engine_pipelines(pipeline->engine) > 1)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SINK && (node->type != sink->type || node->optional))
			return false;
		if (node->role == NODE_SOURCE && !source_ops(node)->patient)
			return false;
	}
	return true;
}

bool node_has_drops(const struct node *node)
{
	const struct pipeline *pipeline = node->pipeline;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == NODE_TEE && any_drops(pipeline->nodes[i]->state))
			return true;
	return false;
}

struct node *node_source_of(const struct node *node, uint32_t stream)
{
	return pipeline_source_of(node->pipeline, stream);
}

struct node *pipeline_source_of(const struct pipeline *pipeline, uint32_t stream)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node *source = pipeline->nodes[i];
		if (source->role == NODE_SOURCE &&
			stream - source->first_stream < source->stream_count)
			return source;
	}
	return NULL;
}

/* True if the stream's end lies on an edge: its number may be another's at its source by now. */
static bool end_is_on_its_way(const struct pipeline *pipeline, uint32_t stream)
{
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		const struct batch *batch = &pipeline->edges[i].batch;
		if (batch->kind == FLOW_BYTES && batch_holds_end(batch, stream))
			return true;
	}
	return false;
}

void node_refuse_stream(const struct node *node, uint32_t stream)
{
	struct node *source = node_source_of(node, stream);
	assert(source);
	const struct source_ops *ops = source_ops(source);
	if (ops->refuse && !end_is_on_its_way(node->pipeline, stream))
		ops->refuse(source, stream);
}
