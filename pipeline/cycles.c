/* Cycles: a file that is read in a pipeline and written by it too, at once or by way of others, never ends.
 *
 * One pipeline may well read what another writes, as long as nothing comes back. The path of a sink may change with the
 * time: what it comes to in the year ahead is looked at, each day at another hour.
 */

#include "pipeline/draft.h"

#include <limits.h>
#include <string.h>

#include "config/arena.h"
#include "config/document.h"
#include "config/path.h"

enum { DAYS = 366, DAY = 24 * 60 * 60, HOUR = 60 * 60 };

/* A sink, and what it may write: normal paths. */
struct output {
	const struct node *sink;
	const char **paths;
	size_t count;
};

struct outputs {
	struct output *items;
	size_t count;
};

/* Devices are no files that are read to an end, and a path that stays the same is noted once. */
static void note_path(const struct document *document, struct output *output, const char *path)
{
	char normal[PATH_MAX];
	if (!path_normal(path, normal) || !normal[0] || strncmp(normal, "/dev/", 5) == 0)
		return;
	if (output->count == 0 || strcmp(normal, output->paths[output->count - 1]) != 0)
		output->paths[output->count++] = arena_format(document->arena, "%s", normal);
}

static struct output output_of(const struct document *document, const struct node *sink)
{
	struct output output = { .sink = sink };
	char path[PATH_MAX];
	int64_t now = node_time();
	output.paths = document_allocate(document, DAYS * sizeof(*output.paths));
	for (unsigned day = 0; day < DAYS; day++)
		if (sink_ops(sink)->writes(sink, now + day * DAY + day % 24 * HOUR, path))
			note_path(document, &output, path);
	return output;
}

static size_t count_nodes(const struct plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->count; i++)
		count += plan->pipelines[i]->node_count;
	return count;
}

static struct outputs find_outputs(const struct plan *plan)
{
	struct outputs outputs = { 0 };
	outputs.items =
		document_allocate(plan->document, (count_nodes(plan) + 1) * sizeof(*outputs.items));
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			if (node->role == NODE_SINK && node->state && sink_ops(node)->writes)
				outputs.items[outputs.count++] = output_of(plan->document, node);
		}
	return outputs;
}

/* The first sink of the pipeline that writes what the source reads; NULL if there is none. */
static const struct node *written_by(
	const struct node *source, const struct pipeline *pipeline, const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct output *output = &outputs->items[i];
		if (output->sink->pipeline == pipeline &&
			source_ops(source)->reads(source, output->paths, output->count))
			return output->sink;
	}
	return NULL;
}

/* Of every two pipelines, whether the second reads what the first writes. */
struct feeds {
	const struct outputs *outputs;
	size_t count;
	bool *any; /* count * count */
};

static bool *feeds_at(const struct feeds *feeds, size_t from, size_t to)
{
	return &feeds->any[from * feeds->count + to];
}

static bool is_reader(const struct node *node)
{
	return node->role == NODE_SOURCE && node->state && source_ops(node)->reads;
}

static void note_source(
	const struct plan *plan, const struct feeds *feeds, const struct node *source, size_t to)
{
	for (size_t from = 0; from < plan->count; from++)
		if (!*feeds_at(feeds, from, to))
			*feeds_at(feeds, from, to) =
				written_by(source, plan->pipelines[from], feeds->outputs) != NULL;
}

/* By way of others, too (Warshall). */
static void close_over(const struct feeds *feeds)
{
	for (size_t by = 0; by < feeds->count; by++)
		for (size_t from = 0; from < feeds->count; from++)
			for (size_t to = 0; *feeds_at(feeds, from, by) && to < feeds->count; to++)
				*feeds_at(feeds, from, to) |= *feeds_at(feeds, by, to);
}

/* What the source reads is written by somebody whom its own pipeline feeds. */
static void check_source(const struct plan *plan, const struct feeds *feeds,
	const struct node *source, size_t place, struct faults *faults)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct node *sink =
			i == place || *feeds_at(feeds, place, i)
				? written_by(source, plan->pipelines[i], feeds->outputs)
				: NULL;
		if (!sink)
			continue;
		fault_at(faults, option_value(source->type->options, source->value, "path"),
			"leave that file out with \"exclude\", or write it elsewhere",
			"\"%s\" writes a file that \"%s\" reads: it would never end", sink->name,
			source->name);
		return;
	}
}

void cycles_find(const struct plan *plan, struct faults *faults)
{
	const struct outputs outputs = find_outputs(plan);
	struct feeds feeds = { .outputs = &outputs, .count = plan->count };
	if (outputs.count == 0)
		return;
	feeds.any = document_allocate(plan->document, plan->count * plan->count + 1);
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (is_reader(plan->pipelines[i]->nodes[k]))
				note_source(plan, &feeds, plan->pipelines[i]->nodes[k], i);
	close_over(&feeds);
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (is_reader(plan->pipelines[i]->nodes[k]))
				check_source(plan, &feeds, plan->pipelines[i]->nodes[k], i, faults);
}
