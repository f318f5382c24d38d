/* Generations: how long they live. */
#include "daemon/generation.h"

#include "pipeline/engine.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>

static struct generation *read(const char *rate, struct generation *older)
{
	file_put("c.json",
		"{\"pipelines\":{\"p\":{\"from\":{\"generate\":{\"rate\":\"%s/s\"}},\"stages\":["
		"\"split\"],\"to\":\"null\"},\"q\":{\"from\":\"generate\",\"stages\":[\"split\"],"
		"\"to\":\"null\"}}}",
		rate);
	struct generation *generation = generation_read("c.json");
	cr_assert(generation);
	cr_assert(generation->configuration.plan);
	generation->older = older;
	return generation;
}

static size_t count(const struct generation *latest)
{
	size_t sum = 0;

	for (; latest; latest = latest->older)
		sum++;
	return sum;
}

static void wrong(struct running *running)
{
	(void)running;
	file_put("c.json", "%s", "{");
	struct generation *generation = generation_read("c.json");
	cr_assert(generation);
	cr_assert_null(generation->configuration.plan);
	cr_assert_geq(generation->configuration.faults.errors, 1);
	generation_discard(generation);
	generations_close(NULL);
}

Test(generation, of_a_wrong_configuration_has_faults_and_no_plan)
{
	running_on_both(wrong);
}

/* What nothing is left of goes; what a pipeline of the latest was read from stays. */
static void sweep(struct running *running)
{
	(void)running;
	struct generation *first = read("1", NULL), *second = read("2", first);
	struct plan *plan = second->configuration.plan;

	for (size_t k = 0; k < plan->pipelines[1]->node_count; k++)
		plan_close_node(plan->pipelines[1]->nodes[k]);
	plan->pipelines[1] = first->configuration.plan->pipelines[1];
	generations_sweep(second);
	cr_assert_eq(count(second), 2, "a pipeline of the first is in use");
	struct generation *third = read("3", second);
	generations_sweep(third);
	cr_assert_eq(count(third), 1, "nothing of the others is in use");
	generations_close(third);
}

Test(generation, lives_as_long_as_a_pipeline_of_it)
{
	running_on_both(sweep);
}

/* A source that went on in a later one. */
static void keep_for_a_node(struct running *running)
{
	(void)running;
	struct generation *first = read("1", NULL), *second = read("2", first);
	struct node **old = &first->configuration.plan->pipelines[0]->nodes[0];
	struct node **next = &second->configuration.plan->pipelines[0]->nodes[0];
	struct node *going = *old;

	*old = *next;
	*next = going;
	generations_sweep(second);
	cr_assert_eq(count(second), 2);
	generations_close(second);
}

Test(generation, lives_as_long_as_a_node_of_it)
{
	running_on_both(keep_for_a_node);
}

/* One that was planned again from an older one's document needs that. */
static void keep_for_its_document(struct running *running)
{
	(void)running;
	struct generation *first = read("1", NULL), *second = read("2", first);

	second->of = first;
	generations_sweep(second);
	cr_assert_eq(count(second), 2);
	second->of = NULL;
	generations_sweep(second);
	cr_assert_eq(count(second), 1);
	generations_close(second);
}

Test(generation, lives_as_long_as_its_document_is_planned_again)
{
	running_on_both(keep_for_its_document);
}
