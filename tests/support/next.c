/* Plans that are read one after the other. */
#include "tests/support/next.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct pipeline *next_read(struct next *next, const char *service, const char *pipelines)
{
	char *text = NULL;
	const int size = asprintf(&text, "{'service':{%s},'pipelines':{%s}}", service, pipelines);

	cr_assert_gt(size, 0);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	*next = (struct next){ 0 };
	cr_assert(document_parse(
		&next->document, "next.json", text, (size_t)size, true, &next->faults));
	next->plan = plan_create(&next->document, &next->faults);
	cr_assert(next->plan, "%s", next->faults.count ? next->faults.items[0].message : "");
	free(text);
	return next->plan->pipelines[0];
}

void next_close_all(struct running *running, struct next *nexts, size_t count)
{
	cr_assert(engine_close(running->engine));
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < nexts[i].plan->own[0].node_count; k++)
			plan_close_node(nexts[i].plan->own[0].nodes[k]);
	running_close(running);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < nexts[i].plan->own_count; k++)
			nexts[i].plan->own[k].node_count = 0;
		plan_destroy(nexts[i].plan);
		document_close(&nexts[i].document);
		faults_close(&nexts[i].faults);
	}
}
