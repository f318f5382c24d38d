/* Names and edges of what is read. */

#include "pipeline/plan.h"

#include "tests/pipeline/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *names_of(const struct pipeline *pipeline)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < pipeline->node_count; i++)
		fprintf(out, "%s%s", i ? " " : "", pipeline->nodes[i]->name);
	fclose(out);
	return text;
}

static void expect_names(const char *text, const char *names)
{
	struct planned planned;
	kinds_plan_well(&planned, text);
	char *found = names_of(planned.plan->pipelines[0]);
	cr_expect_str_eq(found, names);
	free(found);
	kinds_close(&planned);
}

Test(read, names_nodes_by_their_places, .init = kinds_add)
{
	expect_names(
		"{ 'pipelines': { 'errors': {"
		" 'from': [ { 'tcp': ':1', 'stages': [ 'split' ] },"
		"           { 'file': 'a', 'stages': [ 'split', { 'filter': 'x' } ] } ],"
		" 'stages': [ { 'filter': 'a' }, { 'filter': 'b' } ],"
		" 'to': [ { 'file': 'b' },"
		"         { 'tcp': '127.0.0.1:2', 'stages': [ { 'filter': 'x' }, 'compress' ] },"
		"         { 'to': [ 'stdout', 'null' ] } ] } } }",
		"errors.from.0 errors.from.0.split errors.from.1 errors.from.1.split "
		"errors.from.1.filter "
		"errors.filter errors.filter.2 errors.to errors.to.0 errors.to.1.filter "
		"errors.to.1.compress "
		"errors.to.1 errors.to.2.to errors.to.2.to.0 errors.to.2.to.1");
}

Test(read, takes_the_names_that_nodes_give_themselves, .init = kinds_add)
{
	expect_names("{ 'pipelines': { 'errors': {"
		     " 'from': { 'tcp': ':1', 'name': 'net', 'stages': [ { 'split': 'nul', 'name': "
		     "'cut' } ] },"
		     " 'stages': [ { 'filter': 'a', 'name': 'first' }, { 'filter': 'b' }, { "
		     "'filter': 'c' } ],"
		     " 'to': [ { 'file': 'b', 'name': 'relay', 'stages': [ 'compress' ] },"
		     "         { 'name': 'more', 'to': 'null' } ] } } }",
		"errors.from.net errors.from.net.cut errors.first errors.filter errors.filter.2 "
		"errors.to "
		"errors.to.relay.compress errors.to.relay errors.to.more.to.0");
}

Test(read, leaves_out_what_is_disabled_and_keeps_the_numbers, .init = kinds_add)
{
	expect_names(
		"{ 'pipelines': { 'p': {"
		" 'from': [ { 'tcp': ':1', 'enabled': false, 'stages': [ 'split' ] }, 'stdin' ],"
		" 'stages': [ 'split', { 'filter': 'a', 'enabled': false }, { 'filter': 'b' } ],"
		" 'to': [ { 'to': [ 'stdout' ], 'enabled': false }, 'null' ] } } }",
		"p.from.1 p.split p.filter.2 p.to.1");
}

Test(read, needs_no_tee_for_one_way, .init = kinds_add)
{
	expect_names("{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'to': [ { 'to': 'null' } ] "
		     "} } } }",
		"p.from.0 p.to.0.to.0.to.0");
}

Test(read, needs_a_tee_for_one_way_that_drops, .init = kinds_add)
{
	expect_names("{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ 'split' ],"
		     " 'to': { 'null': {}, 'when_full': 'drop' } } } }",
		"p.from.0 p.split p.to p.to.0");
}

/* Every node takes from the edge that leads to it, and every edge knows who is at its ends. */
static void check_edges(const struct pipeline *pipeline)
{
	size_t consumers = 0;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		struct edge *edge = &pipeline->edges[i];
		uint32_t producers = 0;
		cr_expect_eq(edge->consumer->in, &edge->batch);
		for (size_t k = 0; k < pipeline->node_count; k++)
			producers += pipeline->nodes[k]->out == &edge->batch;
		if (edge->producer->role != NODE_TEE)
			cr_expect_eq(producers, edge->producers);
	}
	for (size_t i = 0; i < pipeline->node_count; i++)
		consumers += pipeline->nodes[i]->in != NULL;
	cr_expect_eq(consumers, pipeline->edge_count);
}

static const char two_sources[] =
	"{ 'pipelines': { 'p': {"
	" 'from': [ { 'tcp': { 'listen': ':1', 'max_connections': 10 }, 'stages': [ 'split' ] },"
	"           { 'file': 'a', 'stages': [ 'split', { 'filter': 'y' } ] },"
	"           { 'tcp': { 'listen': ':2', 'max_connections': 5 }, 'stages': [ 'split' ] } ],"
	" 'stages': [ { 'filter': 'x' } ],"
	" 'to': [ 'stdout', { 'null': {}, 'when_full': 'drop', 'stages': [ { 'filter': 'z' } ] },"
	"         { 'when_full': 'drop', 'to': [ { 'file': 'b', 'stages': [ 'compress' ] }, { "
	"'file': 'c' } ] }"
	" ] } } }";

Test(read, joins_sources_in_one_edge, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, two_sources);
	check_edges(planned.plan->pipelines[0]);
	struct node *filter = kinds_node(&planned, "p.filter");
	struct edge *edge = (struct edge *)(void *)filter->in;
	cr_expect_eq(edge->producers, 3);
	cr_expect_eq(edge->producer, kinds_node(&planned, "p.from.0.split"));
	cr_expect_eq(kinds_node(&planned, "p.from.1.filter")->out, filter->in);
	cr_expect_eq(kinds_node(&planned, "p.from.2.split")->out, filter->in);
	cr_expect_null(kinds_node(&planned, "p.from.0")->in);
	kinds_close(&planned);
}

Test(read, numbers_the_streams_of_all_sources, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, two_sources);
	cr_expect_eq(kinds_node(&planned, "p.from.0")->first_stream, 0);
	cr_expect_eq(kinds_node(&planned, "p.from.0")->stream_count, 10);
	cr_expect_eq(kinds_node(&planned, "p.from.1")->first_stream, 10);
	cr_expect_eq(kinds_node(&planned, "p.from.2")->first_stream, 74);
	cr_expect_eq(planned.plan->pipelines[0]->streams, 79);
	kinds_close(&planned);
}

Test(read, tells_connections_from_other_streams, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': [ { 'tcp': { 'listen': ':1', "
				  "'max_connections': 10 } },"
				  "{ 'tcp': { 'listen': ':2', 'max_connections': 5 } }, 'stdin' ],"
				  "'stages': [ 'split' ], 'to': 'null' } } }");
	cr_expect_str_eq(kinds_node(&planned, "p.split")->copies_why, "aside: 15 of 16 streams");
	kinds_close(&planned);
}

Test(read, gives_a_tee_its_branches, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, two_sources);
	struct node *node = kinds_node(&planned, "p.to");
	const struct tee *tee = node->state;
	cr_expect_eq(node->role, NODE_TEE);
	cr_expect_eq(tee->count, 3);
	cr_expect_eq(tee->branches[0].in, kinds_node(&planned, "p.to.0")->in);
	cr_expect_eq(tee->branches[1].in, kinds_node(&planned, "p.to.1.filter")->in);
	cr_expect_eq(tee->branches[2].in, kinds_node(&planned, "p.to.2.to")->in);
	cr_expect_not(tee->branches[0].drop);
	cr_expect(tee->branches[1].drop && tee->branches[2].drop);
	cr_expect_str_eq(tee->branches[2].name, "p.to.2");
	cr_expect_null(node->out);
	kinds_close(&planned);
}

Test(read, knows_what_is_optional, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, two_sources);
	cr_expect_not(kinds_node(&planned, "p.to")->optional);
	cr_expect_not(kinds_node(&planned, "p.to.0")->optional);
	cr_expect(kinds_node(&planned, "p.to.1.filter")->optional);
	cr_expect(kinds_node(&planned, "p.to.1")->optional);
	cr_expect(kinds_node(&planned, "p.to.2.to.0.compress")->optional);
	cr_expect(kinds_node(&planned, "p.to.2.to.1")->optional);
	kinds_close(&planned);
}

Test(read, labels_edges_with_what_they_carry, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, two_sources);
	const struct node *filter = kinds_node(&planned, "p.filter");
	cr_expect_eq(
		((struct edge *)(void *)kinds_node(&planned, "p.from.0")->out)->kind, FLOW_BYTES);
	cr_expect_eq(((struct edge *)(void *)filter->in)->kind, FLOW_RECORDS);
	cr_expect_eq(((struct edge *)(void *)kinds_node(&planned, "p.to.2.to.0")->in)->kind,
		FLOW_FRAMES);
	cr_assert_not_null(filter->framing);
	cr_expect(filter->framing->newline);
	cr_expect_null(kinds_node(&planned, "p.from.0.split")->framing);
	cr_expect_null(kinds_node(&planned, "p.to.2.to.0")->framing);
	cr_expect(kinds_node(&planned, "p.to.2.to.1")->framing->newline);
	kinds_close(&planned);
}

Test(read, checks_what_is_disabled, .init = kinds_add)
{
	struct planned planned;
	kinds_plan(&planned,
		"{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ 'split' ], 'to': [ 'null',"
		"{ 'enabled': false, 'to': [ { 'file': {} },"
		"  { 'null': {}, 'stages': [ { 'filter': '(' } ] } ] } ] } } }");
	cr_expect_null(planned.plan);
	cr_expect_eq(planned.faults.errors, 2);
	kinds_close(&planned);
}

Test(read, lets_streams_through_a_tee_to_a_split, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'pipelines': { 'p': { 'from': { 'tcp': ':1' },"
		"'to': [ { 'null': {}, 'stages': [ 'split' ] },"
		"        { 'file': 'a', 'stages': [ { 'split': 'nul' } ] } ] } } }");
	cr_expect_eq(((struct edge *)(void *)kinds_node(&planned, "p.to.0.split")->in)->kind,
		FLOW_BYTES);
	cr_expect_not(kinds_node(&planned, "p.to.1")->framing->newline);
	kinds_close(&planned);
}
