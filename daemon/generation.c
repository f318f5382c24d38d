/* Generations. */
#include "daemon/generation.h"

#include <assert.h>
#include <stdlib.h>

struct generation *generation_read(const char *path)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (generation)
		configuration_read(&generation->configuration, path, true);
	return generation;
}

static bool is_in_use(const struct generation *generation, const struct generation *latest)
{
	const struct plan *plan = latest->configuration.plan;
	const struct document *document = &generation->configuration.document;
	const struct plan *made = generation->configuration.plan;

	for (const struct generation *at = latest; at; at = at->older)
		if (at->of == generation)
			return true;
	for (size_t i = 0; i < made->own_count; i++)
		if (made->own[i].run)
			return true; /* it runs, or the kernel keeps something of it */
	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		if (document_holds(document, pipeline->value))
			return true;
		for (size_t k = 0; k < pipeline->node_count; k++)
			if (document_holds(document, pipeline->nodes[k]->value))
				return true;
	}
	return false;
}

void generation_discard(struct generation *generation)
{
	configuration_close(&generation->configuration);
	free(generation);
}

static bool is_among(const struct plan *plan, const struct pipeline *pipeline)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i] == pipeline)
			return true;
	return false;
}

/* Pipelines that ended, or were never opened, have nothing left to close; some of their nodes may be other generations'. */
static void forget_ended(const struct generation *generation, const struct plan *plan)
{
	const struct plan *made = generation->configuration.plan;

	for (size_t i = 0; i < made->own_count; i++)
		if (!made->own[i].run && !is_among(plan, &made->own[i]))
			made->own[i].node_count = made->own[i].edge_count = 0;
}

void generations_sweep(struct generation *latest)
{
	assert(latest);
	for (struct generation *at = latest; at; at = at->older)
		forget_ended(at, latest->configuration.plan);
	struct generation *newer = latest;

	while (newer->older) {
		struct generation *generation = newer->older;
		if (is_in_use(generation, latest)) {
			newer = generation;
			continue;
		}
		newer->older = generation->older;
		generation_discard(generation);
	}
}

/* A pipeline's nodes may be of any of them: all are closed before any is freed. */
static void close_nodes(struct plan *plan)
{
	for (size_t i = 0; plan && i < plan->own_count; i++) {
		for (size_t k = 0; k < plan->own[i].node_count; k++)
			plan_close_node(plan->own[i].nodes[k]);
		plan->own[i].node_count = 0;
	}
}

void generations_close(struct generation *latest)
{
	for (struct generation *at = latest; at; at = at->older)
		close_nodes(at->configuration.plan);
	while (latest) {
		struct generation *older = latest->older;
		generation_discard(latest);
		latest = older;
	}
}
