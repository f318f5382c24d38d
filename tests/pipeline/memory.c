/* Pools, quotas, and what is needed. */

#include "pipeline/plan.h"

#include "config/units.h"
#include "tests/pipeline/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TEXT = 1024 };

/* A configuration with a size in the place of @. */
static void put_size(char whole[MOST_TEXT], const char *text, const char *size)
{
	const char *place = strchr(text, '@');
	snprintf(whole, MOST_TEXT, "%.*s%s%s", (int)(place - text), text, size, place + 1);
}

static uint64_t batches_cost(const struct pipeline *pipeline)
{
	uint64_t cost = 0;
	for (size_t i = 0; i < pipeline->edge_count; i++)
		cost += batch_cost(pipeline->edges[i].room);
	return cost;
}

Test(memory, keeps_an_eighth_for_a_reload, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }");
	const struct pipeline *pipeline = planned.plan->pipelines[0];
	uint64_t charges = batches_cost(pipeline);
	cr_expect_eq(pipeline->charges, charges);
	cr_expect_eq(
		pipeline->buffers, ((64 << 20) - charges) / 8 * 7 / pool_buffer_cost(64 << 10));
	kinds_close(&planned);
}

Test(memory, is_shared_evenly_beside_what_pipelines_have_of_their_own, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'pipelines': {"
		"'a': { 'from': 'stdin', 'to': 'stdout' },"
		"'b': { 'from': 'input', 'stages': [ 'split', { 'filter': { 'contains': 'x',"
		"       'charge': '8MiB' } } ], 'to': 'null' },"
		"'c': { 'from': 'input', 'to': 'null', 'memory': '16MiB' } } }");
	struct pipeline *const *pipelines = planned.plan->pipelines;
	uint64_t cost = pool_buffer_cost(64 << 10);
	uint64_t charges = pipelines[0]->charges + pipelines[1]->charges;
	cr_expect_geq(pipelines[1]->charges, 8 << 20);
	cr_expect_eq(pipelines[0]->buffers, pipelines[1]->buffers);
	cr_expect_eq(pipelines[0]->buffers, ((48 << 20) - charges) * 7 / 8 / 2 / cost);
	cr_expect_eq(pipelines[2]->buffers, ((16 << 20) - pipelines[2]->charges) / cost);
	kinds_close(&planned);
}

Test(memory, is_never_more_than_was_given, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'service': { 'buffer': '256B', 'memory': '3MiB' }, 'pipelines': {"
		"'a': { 'from': { 'tcp': ':1' }, 'stages': [ 'split' ], 'to': 'stdout' },"
		"'b': { 'from': { 'tcp': ':2' }, 'stages': [ 'split' ], 'to': 'null' } } }");
	uint64_t all = 0;
	for (size_t i = 0; i < 2; i++) {
		const struct pipeline *pipeline = planned.plan->pipelines[i];
		all += pipeline->buffers * pool_buffer_cost(256) + pipeline->charges;
		cr_expect_eq(pipeline->nodes[1]->charge, 1024 * 64 + pipeline->buffers / 4 * 32);
	}
	cr_expect_leq(all, 3 << 20);
	kinds_close(&planned);
}

Test(memory, gives_one_mebibyte_to_a_record_where_there_is_room, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ 'split' ], "
				  "'to': 'stdout' } } }");
	const struct pipeline *pipeline = planned.plan->pipelines[0];
	cr_expect_eq(pipeline->max_record, 1 << 20);
	cr_expect_eq(pipeline->edges[0].room, 64);
	cr_expect_eq(pipeline->edges[1].room, 512, "in front of a sink");
	cr_expect_eq(pipeline->edges[1].pin_limit, 32);
	kinds_close(&planned);
}

/* 4 · ⌈max_record / buffer⌉ + 8 ≤ P, and one buffer more would not fit. */
Test(memory, lowers_max_record_to_what_the_pool_allows, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'service': { 'buffer': '4KiB' }, 'pipelines': { 'p': {"
		"'memory': '1MiB', 'from': 'stdin', 'stages': [ 'split' ], 'to': 'stdout' } } }");
	const struct pipeline *pipeline = planned.plan->pipelines[0];
	uint64_t pieces = pipeline->max_record / 4096;
	cr_expect_eq(pipeline->max_record % 4096, 0);
	cr_expect_geq(pipeline->buffers, 4 * pieces + 8);
	cr_expect_lt(pipeline->buffers, 4 * (pieces + 1) + 8 + 4);
	cr_expect_eq(pipeline->edges[0].room, 2 * (pieces + 2));
	cr_expect_eq(pipeline->edges[1].pin_limit, pieces + 2);
	kinds_close(&planned);
}

static const char tiny[] =
	"{ 'service': { 'buffer': '16B' }, 'pipelines': { 'p': { 'memory': '@',"
	"'from': 'stdin', 'stages': [ 'split', { 'filter': 'x' } ], 'to': 'stdout' } } }";

Test(memory, goes_down_to_thirty_two_buffers_of_sixteen_bytes, .init = kinds_add)
{
	char text[MOST_TEXT], size[32];
	struct planned planned;
	uint64_t least =
		32 * pool_buffer_cost(16) + 2 * batch_cost(64) + batch_cost(512) + 64 + 8 * 32;
	put_size(text, tiny, size_format(least, size));
	kinds_plan_well(&planned, text);
	const struct pipeline *pipeline = planned.plan->pipelines[0];
	cr_expect_eq(pipeline->buffers, 32);
	cr_expect_eq(pipeline->buffer_size, 16);
	cr_expect_eq(pipeline->max_record, 6 * 16);
	cr_expect_eq(pipeline->edges[2].pin_limit, 32);
	kinds_close(&planned);
	put_size(text, tiny, size_format(least - 1, size));
	kinds_plan(&planned, text);
	cr_expect_null(planned.plan);
	kinds_close(&planned);
}

/* The least buffers of a pipeline: found by giving it ever more memory of its own. */
static uint32_t least_buffers(const char *text)
{
	for (uint64_t memory = 2 << 20;; memory += 16 << 10) {
		char whole[MOST_TEXT], size[32];
		struct planned planned;
		put_size(whole, text, size_format(memory, size));
		kinds_plan(&planned, whole);
		uint32_t buffers = planned.plan ? planned.plan->pipelines[0]->buffers : 0;
		kinds_close(&planned);
		if (buffers > 0)
			return buffers;
	}
}

Test(memory, has_room_for_sources_and_drop_branches, .init = kinds_add)
{
	cr_expect_eq(least_buffers("{ 'pipelines': { 'p': { 'memory': '@', 'from': 'stdin', 'to': "
				   "'null' } } }"),
		32);
	cr_expect_eq(least_buffers("{ 'pipelines': { 'p': { 'memory': '@',"
				   "'from': [ { 'stdin': {}, 'stages': [ 'split' ] }, { 'file': "
				   "'a', 'stages': ["
				   "'split' ] }, { 'file': 'b', 'stages': [ 'split' ] } ], 'to': "
				   "'null' } } }"),
		4 * 3 * (1 + 2) + 2 * 2);
	cr_expect_eq(least_buffers("{ 'pipelines': { 'p': { 'memory': '@', 'from': 'stdin', "
				   "'stages': [ 'split' ],"
				   "'to': [ { 'null': {}, 'when_full': 'drop' }, { 'to': [ 'null', "
				   "{ 'stdout': {},"
				   "'when_full': 'drop' } ] } ] } } }"),
		48);
	cr_expect_eq(least_buffers(
			     "{ 'pipelines': { 'p': { 'memory': '@', 'from': 'stdin', 'stages': [ {"
			     "'split': { 'max_record': '640KiB' } } ], 'to': 'null' } } }"),
		48);
}

/* What the remedy names is enough, and three quarters of it are not. */
static void check_remedy(const char *text, const char *first)
{
	char whole[MOST_TEXT], needed[64], size[32];
	struct planned planned;
	put_size(whole, text, first);
	kinds_plan(&planned, whole);
	cr_assert_null(planned.plan);
	cr_assert_eq(planned.faults.count, 1);
	const char *quote = strrchr(planned.faults.items[0].remedy, 'B');
	const char *begin = quote;
	while (begin[-1] != '"')
		begin--;
	snprintf(needed, sizeof(needed), "%.*s", (int)(quote - begin + 1), begin);
	kinds_close(&planned);
	uint64_t bytes;
	cr_assert(size_parse(needed, &bytes), "%s", needed);
	put_size(whole, text, needed);
	kinds_plan_well(&planned, whole);
	kinds_close(&planned);
	put_size(whole, text, size_format(bytes * 3 / 4, size));
	kinds_plan(&planned, whole);
	cr_expect_null(planned.plan, "%s", whole);
	kinds_close(&planned);
}

Test(memory, names_what_would_suffice, .init = kinds_add)
{
	check_remedy(tiny, "2KiB");
	check_remedy("{ 'service': { 'memory': '@' }, 'pipelines': { 'p': { 'from': 'stdin',"
		     "'stages': [ 'split', { 'filter': 'x' }, 'compress' ], 'to': 'null' } } }",
		"1MiB");
	check_remedy(
		"{ 'service': { 'memory': '@', 'buffer': '16B' }, 'pipelines': { 'p': { 'from': {"
		"'tcp': ':1' }, 'stages': [ { 'split': { 'max_record': '64KiB' } } ], 'to': 'null' "
		"} } }",
		"64KiB");
	check_remedy(
		"{ 'service': { 'memory': '@' }, 'pipelines': {"
		"'a': { 'from': 'stdin', 'to': 'null', 'memory': '10MiB' },"
		"'b': { 'from': 'input', 'stages': [ { 'split': { 'max_record': '8MiB' } } ], "
		"'to': 'null' },"
		"'c': { 'from': 'input', 'stages': [ 'split', 'compress' ], 'to': 'null' } } }",
		"16MiB");
	check_remedy("{ 'service': { 'buffer': '256B' }, 'pipelines': { 'p': { 'memory': '@',"
		     "'from': [ { 'tcp': ':1' }, { 'tcp': ':2' } ], 'stages': [ { 'split': {"
		     "'max_record': '20KiB' } } ], 'to': { 'null': {}, 'when_full': 'drop' } } } }",
		"32KiB");
}

Test(memory, limits_what_may_be_pinned, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'pipelines': { 'p': { 'from': [ { 'stdin': {}, 'stages': [ 'split' ] },"
		"{ 'file': 'a', 'stages': [ 'split' ] } ], 'to': [ 'stdout',"
		"{ 'null': {}, 'when_full': 'drop' }, { 'file': 'b', 'when_full': 'drop' } ] } } "
		"}");
	uint32_t buffers = planned.plan->pipelines[0]->buffers;
	const struct tee *tee = kinds_node(&planned, "p.to")->state;
	const struct edge *first = (struct edge *)(void *)kinds_node(&planned, "p.from.0")->out;
	cr_expect_eq(kinds_node(&planned, "p.from.1.split")->pin_quota, buffers / 4 / 2);
	cr_expect_eq(tee->branches[0].pin_limit, 0);
	cr_expect_eq(tee->branches[2].pin_limit, buffers / 4 / 2);
	cr_expect_eq(first->pin_limit, buffers / 2 / 8);
	cr_expect_eq(kinds_node(&planned, "p.from.1")->pin_quota, buffers / 8 / 2);
	cr_expect_eq(((struct edge *)(void *)kinds_node(&planned, "p.to")->in)->pin_limit, 0);
	kinds_close(&planned);
}

Test(memory, limits_sources_that_meet_together, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': [ 'stdin', { 'file': 'a' } ],"
				  "'stages': [ 'split' ], 'to': 'stdout' } } }");
	const struct edge *edge = (struct edge *)(void *)kinds_node(&planned, "p.split")->in;
	cr_expect_eq(edge->pin_limit, planned.plan->pipelines[0]->buffers / 8);
	kinds_close(&planned);
}
