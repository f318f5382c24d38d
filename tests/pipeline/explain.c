#include "pipeline/plan.h"

#include "tests/pipeline/kinds.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char example[] =
	"{ 'service': { 'buffer': '4KiB', 'workers': 1 }, 'pipelines': {"
	" 'errors': { 'from': [ { 'tcp': '127.0.0.1:5140' }, { 'file': '/var/log/a.log' } ],"
	"   'stages': [ { 'split': { 'on': 'delimiter', 'delimiter': '--\\n' } }, { 'filter': "
	"'ERROR' } ],"
	"   'to': [ { 'file': 'errors.zst', 'stages': [ 'compress' ] },"
	"           { 'tcp': '127.0.0.1:5141', 'when_full': 'drop' },"
	"           { 'name': 'both', 'when_full': 'drop', 'to': [ 'stdout', 'null' ] } ] },"
	" 'plain': { 'from': 'stdin', 'to': 'null', 'memory': '1MiB' } } }";

static const char tables[] =
	"\n"
	"errors\n"
	"  errors.from.0            tcp       bytes             –                          copies "
	"0\n"
	"  errors.from.1            file      bytes             –                          copies "
	"0\n"
	"  errors.split             split     records (\"--\\n\")  last delimiter of the run  "
	"copies aside: 1024 of 1025 streams\n"
	"  errors.filter            filter    records (\"--\\n\")  literal over the run       "
	"copies 0\n"
	"  errors.to                tee       records (\"--\\n\")  3 branches                 "
	"copies 0\n"
	"    errors.to.0.compress   compress  frames            –                          copies "
	"stage ≤ 1MiB\n"
	"    errors.to.0            file      frames            –                          copies "
	"0  block: can hold up errors.from.0, errors.from.1, errors.to.1, errors.to.both.to.0, "
	"errors.to.both.to.1\n"
	"    errors.to.1            tcp       records (\"--\\n\")  –                          "
	"copies 0, or thin: views under 256B, once, when the pool is empty  drop: holds up nobody, "
	"may lose its newest records\n"
	"    errors.to.both.to      tee       records (\"--\\n\")  2 branches                 "
	"copies 0\n"
	"      errors.to.both.to.0  stdout    records (\"--\\n\")  –                          "
	"copies 0, or thin: views under 256B, once, when the pool is empty  drop: can hold up "
	"errors.to.both.to.1, may lose its newest records\n"
	"      errors.to.both.to.1  null      records (\"--\\n\")  –                          "
	"copies 0, or thin: views under 256B, once, when the pool is empty  drop: can hold up "
	"errors.to.both.to.0, may lose its newest records\n"
	"\n"
	"plain\n"
	"  plain.from.0  stdin  bytes  –  copies 0\n"
	"  plain.to.0    null   bytes  –  copies 0, or thin: views under 256B, once, when the pool "
	"is empty  block: can hold up plain.from.0\n";

Test(explain, tells_node_by_node_in_columns, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, example);
	char *told = plan_explain(planned.plan, "uring", NULL);
	cr_expect_str_eq(strstr(told, "\nerrors\n"), tables);
	free(told);
	kinds_close(&planned);
}

static const char head[] = "backend  epoll (io_uring_setup: Operation not permitted)\n"
			   "workers  1\n"
			   "memory   64MiB, of which 7.5 MiB is kept for a reload\n"
			   "  errors: pool 52.";

Test(explain, begins_with_backend_workers_and_memory, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, example);
	char *told = plan_explain(planned.plan, "epoll", "io_uring_setup: Operation not permitted");
	char pool[64];
	snprintf(pool, sizeof(pool), " = %u buffers × 4KiB, charges ",
		planned.plan->pipelines[0]->buffers);
	cr_expect_eq(strncmp(told, head, strlen(head)), 0, "%s", told);
	cr_expect_not_null(strstr(told, pool));
	cr_expect_not_null(strstr(told, ", max_record 1MiB unless set\n  plain: pool "));
	cr_expect_not_null(strstr(told, ", from its own 1MiB\ntaps     none; a node copies while "
					"it is tapped: tap ≤ 16KiB a sample\n\nerrors\n"));
	free(told);
	kinds_close(&planned);
}

static const cJSON *find(const cJSON *list, const char *name)
{
	const cJSON *item;
	cJSON_ArrayForEach(
		item, list) if (strcmp(cJSON_GetObjectItemCaseSensitive(item, "name")->valuestring,
					name) == 0) return item;
	cr_assert_fail("there is no %s", name);
	return NULL;
}

static const char *word(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static double number(const cJSON *object, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

Test(explain, tells_programs_the_same, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, example);
	char *told = plan_explain_json(planned.plan, "uring", NULL);
	cJSON *object = cJSON_Parse(told);
	cr_assert_not_null(object);
	cr_expect_str_eq(word(object, "backend"), "uring");
	cr_expect_null(word(object, "why"));
	cr_expect_eq(number(object, "workers"), 1);
	cr_expect_eq(number(object, "memory"), 64 << 20);
	const cJSON *errors = find(cJSON_GetObjectItemCaseSensitive(object, "pipelines"), "errors");
	const cJSON *pool = cJSON_GetObjectItemCaseSensitive(errors, "pool");
	cr_expect_eq(number(pool, "buffers"), planned.plan->pipelines[0]->buffers);
	cr_expect_eq(number(errors, "charges"), (double)planned.plan->pipelines[0]->charges);
	const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(errors, "nodes");
	const cJSON *split = find(nodes, "errors.split");
	cr_expect_str_eq(word(split, "flow"), "records");
	cr_expect_str_eq(word(split, "framing"), "\"--\\n\"");
	const cJSON *sink = find(nodes, "errors.to.both.to.0");
	cr_expect_str_eq(word(sink, "when_full"), "drop");
	cr_expect_eq(number(sink, "depth"), 2);
	const cJSON *held = cJSON_GetObjectItemCaseSensitive(sink, "can_hold_up");
	cr_expect_eq(cJSON_GetArraySize(held), 1);
	cr_expect_str_eq(cJSON_GetArrayItem(held, 0)->valuestring, "errors.to.both.to.1");
	cJSON_Delete(object);
	free(told);
	kinds_close(&planned);
}
