#include "pipeline/registry.h"

#include <criterion/criterion.h>
#include <string.h>

static size_t count(const char *const *names)
{
	size_t count = 0;
	while (names[count])
		count++;
	return count;
}

Test(registry, finds_each_kind_in_its_role_only)
{
	cr_expect_eq(registry_source("tcp"), &source_tcp);
	cr_expect_eq(registry_sink("tcp"), &sink_tcp);
	cr_expect_eq(registry_stage("split"), &stage_split);
	cr_expect_eq(registry_source("stdin"), &source_stdin);
	cr_expect_null(registry_stage("tcp"));
	cr_expect_null(registry_source("split"));
	cr_expect_null(registry_sink("TCP"));
	cr_expect_null(registry_sink(""));
}

Test(registry, lists_names_that_it_finds)
{
	for (const char *const *name = registry_sources(); *name; name++)
		cr_expect_str_eq(registry_source(*name)->type.name, *name);
	for (const char *const *name = registry_stages(); *name; name++)
		cr_expect_str_eq(registry_stage(*name)->type.name, *name);
	for (const char *const *name = registry_sinks(); *name; name++)
		cr_expect_str_eq(registry_sink(*name)->type.name, *name);
	cr_expect_str_eq(registry_stages()[0], "split");
	cr_expect_geq(count(registry_sinks()), 6);
}

Test(registry, puts_a_test_s_kinds_in_front)
{
	static const struct stage_ops mine = { .type = { .name = "mine" } };
	static const struct stage_ops filter = { .type = { .name = "filter" } };
	static const struct source_ops *const sources[] = { NULL };
	static const struct stage_ops *const stages[] = { &mine, &filter, NULL };
	static const struct sink_ops *const sinks[] = { NULL };
	size_t before = count(registry_stages());
	registry_add_for_tests(sources, stages, sinks);
	cr_expect_eq(count(registry_stages()), before + 1);
	cr_expect_eq(registry_stage("mine"), &mine);
	cr_expect_eq(registry_stage("filter"), &filter);
	cr_expect_str_eq(registry_stages()[0], "filter");
	cr_expect_str_eq(registry_stages()[1], "mine");
	cr_expect_eq(registry_stage("split"), &stage_split);
}
