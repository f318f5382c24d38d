#include "tests/support/bench.h"

#include "pipeline/flow/batch.h"
#include "pipeline/io/gather.h"
#include "pipeline/io/loop.h"
#include "pipeline/registry.h"
#include "tests/support/copies_told.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 64 };

static struct bench *now; /* the one that runs */
static struct engine *engine;

uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t below)
{
	return random_next(state) % below;
}

/* The source */

struct bench_source {
	size_t segment, at, index;
	uint64_t random, position[STREAMS];
	struct buffer *buffer;
};

static bool source_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)node;
	(void)in;
	(void)faults;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = STREAMS };
	return true;
}

static bool source_open(struct node *node, struct faults *faults)
{
	struct bench_source *source = node->state;
	(void)faults;
	source->random = now->seed;
	source->index = now->sources++;
	return true;
}

static void source_close(struct node *node)
{
	struct bench_source *source = node->state;
	buffer_release(&source->buffer);
}

/* The flags of a segment travel alone, in an empty view. */
static bool put_flags(struct node *node, struct batch *out, const struct segment *segment)
{
	struct view view = { .tag = (node->first_stream + segment->stream) | segment->flags };
	return segment->flags == 0 || batch_put(out, &view);
}

static bool put_chunk(struct node *node, struct batch *out, const struct segment *segment)
{
	struct bench_source *source = node->state;
	size_t size = now->chunk ? now->chunk : 1 + random_below(&source->random, 70);
	if (!source->buffer || buffer_room(source->buffer) == 0) {
		buffer_release(&source->buffer);
		source->buffer = pool_take(node->pool);
	}
	if (!source->buffer || batch_room(out) == 0)
		return false;
	if (size > segment->size - source->at)
		size = segment->size - source->at;
	if (size > buffer_room(source->buffer))
		size = buffer_room(source->buffer);
	memcpy(buffer_end(source->buffer), segment->data + source->at, size);
	struct view view = view_publish(source->buffer, (uint32_t)size);
	view.tag = node->first_stream + segment->stream;
	cr_assert(batch_put(out, &view));
	source->at += size;
	source->position[segment->stream] += size;
	node->account.received += size;
	return true;
}

static void source_read(struct node *node, struct batch *out)
{
	struct bench_source *source = node->state;
	while (source->segment < now->segment_count) {
		const struct segment *segment = &now->segments[source->segment];
		if (segment->stream % now->sources != source->index) {
			source->segment++;
			continue;
		}
		if (source->at < segment->size) {
			if (!put_chunk(node, out, segment))
				return;
			continue;
		}
		if (!put_flags(node, out, segment))
			return;
		source->segment++;
		source->at = 0;
	}
	buffer_release(&source->buffer);
	node->ended = true;
}

static void source_note(struct node *node)
{
	struct bench_source *source = node->state;
	for (uint32_t i = 0; i < STREAMS; i++)
		node_note(node, node->first_stream + i, source->position[i]);
}

static void source_commit(struct node *node)
{
	now->commits++;
	for (uint32_t i = 0; i < STREAMS; i++) {
		uint64_t position = node_noted(node, node->first_stream + i);
		if (position < now->committed[i])
			now->commits_went_back = true;
		now->committed[i] = position;
	}
	uint64_t committed = 0;
	for (uint32_t i = 0; i < STREAMS; i++)
		committed += now->committed[i];
	for (size_t i = 0; i < node->pipeline->node_count; i++) {
		const struct node *sink = node->pipeline->nodes[i];
		struct node_report report;
		engine_report(sink, &report);
		if (sink->role == NODE_SINK && !sink->optional && now->sinks == 1 &&
			strcmp(now->stages, "[\"split\"]") == 0 && report.bytes_out < committed)
			now->commit_unsafe = true;
	}
}

static uint32_t source_streams(const struct node *node)
{
	(void)node;
	return STREAMS;
}

static const struct source_ops source_files = {
	.type = { .name = "bench",
		.doc = "Gives segments.",
		.state_size = sizeof(struct bench_source),
		.plan = source_plan,
		.open = source_open,
		.close = source_close },
	.read = source_read,
	.note = source_note,
	.commit = source_commit,
	.streams = source_streams,
};

static const struct source_ops source_sockets = {
	.type = { .name = "bench_sockets",
		.doc = "Gives segments as sockets do.",
		.state_size = sizeof(struct bench_source),
		.plan = source_plan,
		.open = source_open,
		.close = source_close },
	.read = source_read,
	.note = source_note,
	.commit = source_commit,
	.streams = source_streams,
	.sockets = true,
};

/* The sink */

struct bench_sink {
	struct gather gather;
	size_t index, room;
	uint64_t random;
};

static bool sink_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)node;
	(void)in;
	(void)out;
	(void)faults;
	return true;
}

static bool sink_open(struct node *node, struct faults *faults)
{
	struct bench_sink *sink = node->state;
	(void)faults;
	sink->index = now->sinks++;
	sink->random = now->seed + sink->index + 1;
	return gather_open(&sink->gather);
}

static void sink_close(struct node *node)
{
	struct bench_sink *sink = node->state;
	gather_close(&sink->gather);
}

static void collect(struct bench_sink *sink, const char *data, size_t size)
{
	size_t before = now->out_size[sink->index];
	char *grown = now->out[sink->index];
	if (before + size >= sink->room) {
		sink->room = 2 * (before + size) + 4096;
		grown = realloc(grown, sink->room);
	}
	cr_assert(grown);
	memcpy(grown + before, data, size);
	grown[before + size] = '\0';
	now->out[sink->index] = grown;
	now->out_size[sink->index] += size;
}

static void sink_write(struct node *node, struct batch *in)
{
	struct bench_sink *sink = node->state;
	bool source_ended = node->pipeline->nodes[0]->ended;
	if (now->stuck && strcmp(now->stuck, node->name) == 0 && !source_ended)
		return;
	uint64_t most = now->speed ? now->speed : 1 + random_below(&sink->random, 200);
	uint64_t bytes = gather_fill(&sink->gather, in, node->framing, most);
	uint64_t written = 0;
	for (uint32_t i = 0; i < sink->gather.count && written < most; i++) {
		size_t size = sink->gather.pieces[i].iov_len;
		if (size > most - written)
			size = most - written;
		collect(sink, sink->gather.pieces[i].iov_base, size);
		written += size;
	}
	gather_written(&sink->gather, in, written);
	if (bytes > 0) {
		node->account.sent += written;
		node_wake(node);
	}
	node->safe = in->taken.views;
}

static const struct sink_ops sink_bench = {
	.type = { .name = "bench",
		.doc = "Collects.",
		.state_size = sizeof(struct bench_sink),
		.plan = sink_plan,
		.open = sink_open,
		.close = sink_close },
	.write = sink_write,
};

/* Running */

static void say_faults(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		char *text = fault_text(&faults->items[i]);
		cr_log_error("%s", text);
		free(text);
	}
}

static char *configuration(const struct bench *bench)
{
	static char text[16384];
	const char *from = bench->sockets ? "\"bench_sockets\"" : "\"bench\"";
	if (bench->from)
		from = bench->from;
	snprintf(text, sizeof(text),
		"{\"service\":{\"io\":\"epoll\",\"memory\":\"%s\",\"buffer\":\"%s\"},\"pipelines\":"
		"{\"bench\":{%s%s%"
		"s\"from\":%s,"
		"\"stages\":%s,\"to\":%s}}}",
		bench->service_memory ? bench->service_memory : "64MiB",
		bench->buffer ? bench->buffer : "64KiB", bench->memory ? "\"memory\":\"" : "",
		bench->memory ? bench->memory : "", bench->memory ? "\"," : "", from, bench->stages,
		bench->to ? bench->to : "\"bench\"");
	return text;
}

static void keep_reports(struct bench *bench, const struct plan *plan)
{
	const struct pipeline *pipeline = plan->pipelines[0];
	for (size_t i = 0; i < pipeline->node_count && bench->nodes < 16; i++) {
		if (pipeline->nodes[i]->role == NODE_TEE)
			continue;
		engine_report(pipeline->nodes[i], &bench->reports[bench->nodes]);
		bench->copied += copies_sum(&pipeline->nodes[i]->account.copies);
		bench->names[bench->nodes++] = strdup(pipeline->nodes[i]->name);
	}
	bench->most_used = pool_most_used(pipeline->pool);
}

void bench_run(struct bench *bench)
{
	static const struct source_ops *const sources[] = { &source_files, &source_sockets, NULL };
	static const struct sink_ops *const sinks[] = { &sink_bench, NULL };
	static const struct stage_ops *const stages[] = { NULL };
	struct document document = { 0 };
	struct faults faults = { 0 };
	const char *why;
	now = bench;
	registry_add_for_tests(sources, stages, sinks);
	const char *text = configuration(bench);
	bool parsed = document_parse(&document, "bench.json", text, strlen(text), true, &faults);
	struct plan *plan = parsed ? plan_create(&document, &faults) : NULL;
	say_faults(&faults);
	cr_assert(plan, "refused: %s", text);
	struct loop *loop = loop_create(LOOP_EPOLL, &why);
	cr_assert(loop, "%s", why);
	engine = engine_create(plan, 0, loop, NULL, NULL);
	cr_assert(engine);
	engine_set_epoch_interval(engine, bench->epoch_ms ? bench->epoch_ms : 3600 * 1000);
	cr_assert(engine_open(engine, &faults));
	while (!engine_finished(engine))
		engine_turn(engine, -1);
	copies_told_check(plan);
	cr_assert(engine_close(engine));
	keep_reports(bench, plan);
	uint32_t free_buffers = pool_free(plan->pipelines[0]->pool),
		 all = pool_count(plan->pipelines[0]->pool);
	cr_assert_eq(free_buffers, all, "%u of %u buffers came back", free_buffers, all);
	engine_destroy(engine);
	loop_destroy(loop);
	plan_destroy(plan);
	document_close(&document);
	faults_close(&faults);
}

const struct node_report *bench_report(const struct bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->nodes; i++)
		if (strcmp(bench->names[i], name) == 0)
			return &bench->reports[i];
	cr_assert(false, "no node %s", name);
	return NULL;
}

bool bench_balances(const struct bench *bench)
{
	for (size_t i = 1; i < bench->nodes; i++) {
		const struct node_report *report = &bench->reports[i];
		uint64_t out = report->records_out + report->account.filtered + report->held;
		for (unsigned reason = 0; reason < DROP_REASONS; reason++)
			out += report->account.dropped[reason];
		if (out != report->records_in)
			return false;
	}
	return true;
}

void bench_free(struct bench *bench)
{
	for (size_t i = 0; i < bench->sinks; i++)
		free(bench->out[i]);
	for (size_t i = 0; i < bench->nodes; i++)
		free((void *)(uintptr_t)bench->names[i]);
}
