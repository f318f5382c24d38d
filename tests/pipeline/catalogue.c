/* The schema of the real tables takes what the planner takes, where both can tell. */
#include "pipeline/catalogue.h"

#include "pipeline/plan.h"
#include "tests/config/judge.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PIPELINES "'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } }"

static bool is_taken(const cJSON *schema, const char *text)
{
	char *json = strdup(text);
	cr_assert(json);
	for (char *quote = json; (quote = strchr(quote, '\''));)
		*quote = '"';
	cJSON *item = cJSON_Parse(json);
	cr_assert(item, "%s", text);
	bool taken = judge_accepts(schema, schema, item);
	cJSON_Delete(item);
	free(json);
	return taken;
}

static bool is_planned(const char *text)
{
	struct document document;
	struct faults faults = { 0 };
	char *json = strdup(text);
	cr_assert(json);
	for (char *quote = json; (quote = strchr(quote, '\''));)
		*quote = '"';
	document_parse(&document, "test.json", json, strlen(json), true, &faults);
	struct plan *plan = plan_create(&document, &faults);
	bool planned = plan != NULL;
	plan_destroy(plan);
	document_close(&document);
	faults_close(&faults);
	free(json);
	return planned;
}

static const char *const good[] = {
	"{ " PIPELINES ", 'tests': [] }",
	"{ " PIPELINES ", 'include': 'conf.d/*.json' }",
	"{ " PIPELINES ", 'include': [ 'a', 'b' ] }",
	"{ " PIPELINES ", 'tests': [ { '//': 1, 'name': 'x', 'pipeline': 'p', 'in': [],"
	" 'out': { '//': 1, 'p.to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': { 'from.0': [ 'a',"
	" { 'hex': '00' } ] }, 'out': { 'to.0': [ 'a', { 'hex': '00' } ] } } ] }",
};

static const char *const wrong[] = {
	"{ " PIPELINES ", 'tests': {} }",
	"{ " PIPELINES ", 'tests': [ 1 ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [], 'out': {} } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [], 'out': [] } ] }",
	"{ " PIPELINES ", 'tests': [ { 'pipeline': 'p', 'in': [], 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'in': [], 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [] } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': 'x',"
	" 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [ '' ],"
	" 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [], 'more': 1,"
	" 'out': { 'to.0': [] } } ] }",
	"{ " PIPELINES ", 'tests': [ { 'name': 'x', 'pipeline': 'p', 'in': [],"
	" 'out': { 'to.0': 'a' } } ] }",
};

static cJSON *real_schema(void)
{
	char *text = describe_schema(plan_catalogue());
	cJSON *schema = cJSON_Parse(text);
	free(text);
	cr_assert(schema);
	return schema;
}

Test(catalogue, what_is_planned_is_as_the_schema_says)
{
	cJSON *schema = real_schema();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		cr_expect(is_taken(schema, good[i]), "%s", good[i]);
		cr_expect(is_planned(good[i]), "%s", good[i]);
	}
	cJSON_Delete(schema);
}

Test(catalogue, what_the_schema_refuses_is_not_planned)
{
	cJSON *schema = real_schema();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cr_expect_not(is_taken(schema, wrong[i]), "%s", wrong[i]);
		cr_expect_not(is_planned(wrong[i]), "%s", wrong[i]);
	}
	cJSON_Delete(schema);
}

/* Where the pipelines come from is told by what is included. */
Test(catalogue, pipelines_may_all_be_included)
{
	cJSON *schema = real_schema();
	cr_expect(is_taken(schema, "{ 'include': 'conf.d/*' }"));
	cr_expect_not(is_taken(schema, "{ 'include': [] }"));
	cr_expect_not(is_taken(schema, "{ }"));
	cJSON_Delete(schema);
}
