/* Rehearsals: casting, and the play. */
#include "daemon/rehearsal.h"

#include "config/memory.h"
#include "daemon/rehearsal_actors.h"
#include "pipeline/engine.h"
#include "pipeline/io/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOUR_MS = 60 * 60 * 1000,
	PATIENCE_MS = 30 * HOUR_MS /* by then all has ended: sources end theirs after a day */
};

/* --- what compresses ---------------------------------------------------------------------------------------------- */

static bool passer_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)node;
	(void)faults;
	*out = *in;
	return true;
}

static void passer_process(struct node *node, struct batch *in, struct batch *out)
{
	(void)node;
	for (uint32_t count; (count = batch_group(in)) > 0 && batch_room(out) >= count;) {
		batch_share(out, in, count);
		while (count-- > 0) {
			struct view view = batch_take(in);
			view_drop(&view);
		}
	}
}

static void cast_stage(const struct rehearsal *rehearsal, struct node *node)
{
	if (strcmp(node->type->name, "compress") != 0)
		return;
	struct stage_ops *passer =
		document_allocate(rehearsal->trial->value->document, sizeof(*passer));
	passer->type = *node->type;
	passer->type.plan = passer_plan;
	passer->type.open = NULL;
	passer->type.halt = NULL;
	passer->process = passer_process;
	node->type = &passer->type;
}

/* --- the play ----------------------------------------------------------------------------------------------------- */

static void cast(void *context, struct node *node)
{
	struct rehearsal *rehearsal = context;

	if (node->role == NODE_SOURCE)
		rehearsal_source_cast(rehearsal, node);
	else if (node->role == NODE_STAGE)
		cast_stage(rehearsal, node);
	else if (node->role == NODE_SINK)
		rehearsal_sink_cast(rehearsal, node);
}

/* Turns until all has ended. False if it does not. */
static bool turn_to_the_end(struct engine *engine)
{
	const uint64_t limit = engine_now(engine) + PATIENCE_MS;

	while (!engine_finished(engine) && engine_now(engine) < limit)
		engine_turn(engine, HOUR_MS);
	return engine_finished(engine);
}

static void tell_losses(FILE *out, const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node_report report;
		report_node(pipeline->nodes[i], &report);
		for (unsigned reason = 0; reason < DROP_REASONS; reason++)
			if (report.account.dropped[reason] > 0)
				fprintf(out, "%s dropped %" PRIu64 " (%s)\n",
					pipeline->nodes[i]->name, report.account.dropped[reason],
					drop_reason_name(reason));
	}
}

static void keep_losses(struct rehearsal *rehearsal, const struct plan *plan)
{
	size_t size;
	FILE *out = memory_text_open(&rehearsal->losses, &size);

	tell_losses(out, plan->pipelines[0]);
	memory_text_close(out);
}

static bool play(
	struct rehearsal *rehearsal, struct plan *plan, struct loop *loop, struct faults *faults)
{
	struct engine *engine;

	for (size_t i = 0; i < plan->count; i++)
		plan->pipelines[i]->worker = i > 0; /* one shard is enough */
	engine = engine_create(plan, 0, loop, NULL, NULL);
	if (!engine)
		return fault_at(faults, NULL, NULL, "not enough memory");
	bool good = engine_open(engine, faults);
	if (good && !turn_to_the_end(engine))
		good = fault_at(faults, NULL, NULL, "it does not come to an end");
	if (good)
		keep_losses(rehearsal, plan);
	engine_destroy(engine);
	return good;
}

static bool play_alone(struct rehearsal *rehearsal, struct plan *plan, struct faults *faults)
{
	const char *why = NULL;
	struct loop *loop = loop_create(LOOP_EPOLL, &why);

	if (!loop)
		return fault_at(faults, NULL, NULL, "cannot make a loop: %s", why);
	loop_pass_time(loop);
	const bool good = play(rehearsal, plan, loop, faults);
	loop_destroy(loop);
	return good;
}

static size_t count_nodes(const struct plan *plan, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->pipelines[i]->name, name) == 0)
			count += plan->pipelines[i]->node_count;
	return count;
}

bool rehearsal_run(struct rehearsal *rehearsal, const struct plan *plan, const struct trial *trial,
	struct faults *faults)
{
	const struct pipeline *model = trial->pipeline;
	const struct budget budget = { .pipeline = model->name,
		.memory = model->buffers * pool_buffer_cost(model->buffer_size) + model->charges,
		.allowance = model->allowance };

	*rehearsal = (struct rehearsal){ .trial = trial };
	rehearsal->sinks = memory_needed(
		calloc(count_nodes(plan, model->name) + 1, sizeof(*rehearsal->sinks)));
	struct plan *own = plan_create_cast(plan->document, &budget, cast, rehearsal, faults);
	const bool good = own && play_alone(rehearsal, own, faults);
	plan_destroy(own);
	return good;
}

const struct gathered *rehearsal_find(const struct rehearsal *rehearsal, const char *node)
{
	size_t at = 0;

	while (strcmp(rehearsal->sinks[at].node, node) != 0)
		at++;
	return &rehearsal->sinks[at];
}

void rehearsal_close(struct rehearsal *rehearsal)
{
	for (size_t i = 0; i < rehearsal->sink_count; i++) {
		free(rehearsal->sinks[i].data);
		free(rehearsal->sinks[i].ends);
	}
	free(rehearsal->sinks);
	free(rehearsal->losses);
	*rehearsal = (struct rehearsal){ 0 };
}
