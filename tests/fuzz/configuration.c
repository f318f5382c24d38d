/* Any bytes as a configuration: faults or a plan, and a plan can be explained. Nothing is resolved or opened. */

#include "pipeline/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(char *text)
{
	if (!text)
		abort();
	free(text);
}

static void say_faults(struct faults *faults)
{
	faults_sort(faults);
	for (size_t i = 0; i < faults->count; i++)
		use(fault_text(&faults->items[i]));
	use(faults_json(faults));
}

/* A configuration is refused with a fault that says so, and taken without one. */
static void check(const struct plan *plan, bool parsed, const struct faults *faults)
{
	bool good = plan && parsed;

	if (good != (faults->errors == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document document = { 0 };
	struct faults faults = { 0 };
	struct plan *plan = NULL;
	bool parsed = document_parse(&document, "fuzz", (const char *)data, size, false, &faults);

	if (document.root)
		plan = plan_create(&document, &faults);
	check(plan, parsed, &faults);
	if (plan) {
		use(plan_explain(plan, "epoll", NULL));
		use(plan_explain_json(plan, "epoll", NULL));
		use(plan_explain_graph(plan, GRAPH_DOT));
		use(plan_explain_graph(plan, GRAPH_MERMAID));
	}
	say_faults(&faults);
	plan_destroy(plan);
	faults_close(&faults);
	document_close(&document);
	return 0;
}
