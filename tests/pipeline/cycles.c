/* Cycles: what is read where it is written. */

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void refuse(const char *pipelines, const char *message)
{
	struct running running = { .backend = LOOP_EPOLL };

	cr_assert_not(running_open(&running, "", "%s", pipelines), "%s", pipelines);
	cr_assert_geq(running.faults.errors, 1, "%s", pipelines);
	cr_assert_str_eq(running.faults.items[0].message, message);
	cr_assert(strstr(running.faults.items[0].remedy, "exclude"));
	running_close(&running);
}

static void accept(const char *pipelines)
{
	struct document document;
	struct faults faults = { 0 };
	char text[1024];

	snprintf(text, sizeof(text), "{'pipelines':{%s}}", pipelines);
	for (char *at = text; (at = strchr(at, '\''));)
		*at = '"';
	cr_assert(document_parse(&document, "test.json", text, strlen(text), true, &faults));
	struct plan *plan = plan_create(&document, &faults);
	cr_assert(plan, "%s: %s", pipelines, faults.count > 0 ? faults.items[0].message : "");
	cr_assert_eq(faults.count, 0);
	plan_destroy(plan);
	faults_close(&faults);
	document_close(&document);
}

static const char loop[] = "\"p.to.0\" writes a file that \"p.from.0\" reads: it would never end";

#define FROM_TO(from, to) "'p':{'from':{'file':" from "},'stages':['split'],'to':{'file':" to "}}"

Test(cycles, refuses_what_a_pipeline_reads_and_writes)
{
	refuse(FROM_TO("'x'", "'x'"), loop);
	refuse(FROM_TO("'/var/log/*.log'", "'/var/log/all.log'"), loop);
	refuse(FROM_TO("'/var/log/**'", "'/var/./log//app/../app/all.log'"), loop);
	refuse(FROM_TO("['a','/l/{b,c}.log']", "'/l/c.log'"), loop);
	refuse(FROM_TO("'logs/*'", "'./logs/out'"), loop);
	refuse(FROM_TO("{'path':'*.log','follow':false}", "'all.log'"), loop);
	refuse(FROM_TO("{'path':'/l/*','exclude':'*.gz'}", "'/l/x.zst'"), loop);
	refuse(FROM_TO("{'path':'l/*','exclude':'/l/x'}", "'l/x'"), loop);
}

Test(cycles, takes_any_time_that_a_path_may_have)
{
	node_set_time_for_tests(1704067200); /* 2024-01-01 */
	refuse(FROM_TO("'/l/app-*.log'", "'/l/app-%Y-%m-%d.log'"), loop);
	refuse(FROM_TO("'/l/*-12.log'", "'/l/app-%m.log'"), loop);
	refuse(FROM_TO("'/l/*-23.log'", "'/l/app-%H.log'"), loop);
	accept(FROM_TO("'/l/app-2019-*.log'", "'/l/app-%Y-%m-%d.log'"));
	node_set_time_for_tests(0);
}

Test(cycles, accepts_what_ends)
{
	accept(FROM_TO("'x'", "'y'"));
	accept(FROM_TO("'/l/*.log'", "'/l/sub/x.log'"));
	accept(FROM_TO("{'path':'/l/*','exclude':'out.*'}", "'/l/out.log'"));
	accept(FROM_TO("{'path':'/l/*','exclude':'/l/out'}", "'/l/out'"));
	accept(FROM_TO("{'path':'l/*','exclude':'l/out'}", "'l/out'"));
	accept(FROM_TO("'/dev/*'", "'/dev/null'"));
	accept("'a':{'from':'stdin','to':{'file':'x'}},'b':{'from':{'file':'x'},'to':'null'}");
	accept("'p':{'from':{'file':'x'},'to':[{'file':'x','enabled':false},'null']}");
}

Test(cycles, finds_the_way_round_by_others)
{
	refuse("'a':{'from':{'file':'z'},'to':{'file':'x'}},'b':{'from':{'file':'x'},'to':{'file':'"
	       "z'}}",
		"\"b.to.0\" writes a file that \"a.from.0\" reads: it would never end");
}
