/* Cycles: a file that is read in a pipeline and written by it too, at once or by way of others, never ends.
 *
 * One pipeline may well read what another writes, as long as nothing comes back. The path of a sink may change with the
 * time: what it comes to in the year ahead is looked at, each day at another hour.
 */

#include "pipeline/draft.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/document.h"
#include "config/path.h"

enum { DAYS = 366, DAY = 24 * 60 * 60, HOUR = 60 * 60 };

static const struct source_ops *source_of(const struct node *node)
{
	return (const struct source_ops *)(const void *)node->type;
}

static const struct sink_ops *sink_of(const struct node *node)
{
	return (const struct sink_ops *)(const void *)node->type;
}

/* Devices are no files that are read to an end. */
static bool reads_path(const struct node *source, const char *path)
{
	char normal[PATH_MAX];
	return path_normal(path, normal) && normal[0] && strncmp(normal, "/dev/", 5) != 0 &&
	       source_of(source)->reads(source, normal);
}

static bool reads_from(const struct node *source, const struct node *sink)
{
	char path[PATH_MAX], before[PATH_MAX] = "";
	int64_t now = node_time();
	for (unsigned day = 0; day < DAYS; day++) {
		if (!sink_of(sink)->writes(sink, now + day * DAY + day % 24 * HOUR, path))
			return false;
		if (strcmp(path, before) == 0)
			continue;
		if (reads_path(source, path))
			return true;
		snprintf(before, sizeof(before), "%s", path);
	}
	return false;
}

/* The first sink of the pipeline that writes what the source reads; NULL if there is none. */
static const struct node *written_by(const struct node *source, const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		const struct node *node = pipeline->nodes[i];
		if (node->role == NODE_SINK && node->state && sink_of(node)->writes &&
			reads_from(source, node))
			return node;
	}
	return NULL;
}

/* Of every two pipelines, whether the second reads what the first writes. */
struct feeds {
	size_t count;
	bool *any; /* count * count */
};

static bool *feeds_at(const struct feeds *feeds, size_t from, size_t to)
{
	return &feeds->any[from * feeds->count + to];
}

static bool is_reader(const struct node *node)
{
	return node->role == NODE_SOURCE && node->state && source_of(node)->reads;
}

static void note_source(
	const struct plan *plan, const struct feeds *feeds, const struct node *source, size_t to)
{
	for (size_t from = 0; from < plan->count; from++)
		if (!*feeds_at(feeds, from, to))
			*feeds_at(feeds, from, to) =
				written_by(source, plan->pipelines[from]) != NULL;
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
		const struct node *sink = i == place || *feeds_at(feeds, place, i)
						  ? written_by(source, plan->pipelines[i])
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
	struct feeds feeds = { .count = plan->count };
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
