/* A reason is given where its name stands in the text; "once" is a bound: no byte twice. */

#include "tests/support/copies_told.h"

#include "pipeline/plan.h"

#include <criterion/criterion.h>
#include <string.h>

/* What came in, and the delimiters that bare records get behind them. */
static uint64_t most(const struct node *node)
{
	if (!node->in)
		return 0;
	uint64_t delimiter = node->framing ? node->framing->delimiter_size : 0;
	return node->in->put.bytes + node->in->put.records * delimiter;
}

static bool is_told(const struct node *node, enum copy_reason reason)
{
	uint64_t bytes = node->account.copies.bytes[reason];
	const char *told = strstr(node->copies_why, copy_reason_name(reason));
	if (bytes == 0 || reason == COPY_TAP) /* which the plan does not tell: somebody looks on */
		return true;
	return told && (!strstr(told, "once") || bytes <= most(node));
}

bool copies_are_told(const struct node *node)
{
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		if (!is_told(node, (enum copy_reason)reason))
			return false;
	return true;
}

static void check(const struct node *node)
{
	const struct copies *copies = &node->account.copies;
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		cr_assert(is_told(node, (enum copy_reason)reason),
			"%s copied %llu bytes of %llu: %s; but explain says: copies %s", node->name,
			(unsigned long long)copies->bytes[reason], (unsigned long long)most(node),
			copy_reason_name((enum copy_reason)reason),
			node->copies_why[0] ? node->copies_why : "0");
}

void copies_told_check(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			check(plan->pipelines[i]->nodes[k]);
}
