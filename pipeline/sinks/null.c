/* null: takes everything and lets it go. */

#include "pipeline/node.h"

#include <stdio.h>

static void null_write(struct node *node, struct batch *in)
{
	while (batch_ready(in) > 0) {
		struct view view = batch_take(in);

		node->account.sent += view.size;
		view_drop(&view);
	}
	node->safe = in->taken.views;
}

static bool null_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)in;
	(void)out;
	(void)faults;
	snprintf(node->how, sizeof(node->how), "lets everything go");
	node->copies_why[0] = '\0'; /* nothing waits in front of it */
	return true;
}

static bool null_open(struct node *node, struct faults *faults)
{
	(void)faults;
	node->up = true;
	return true;
}

static void null_close(struct node *node)
{
	node->up = false;
}

static const struct option options[] = { OPTIONS_END };

const struct sink_ops sink_null = {
	.type = {
		.name = "null",
		.doc = "Takes everything and lets it go.",
		.options = options,
		.state_size = 0,
		.example = "\"null\"",
		.plan = null_plan,
		.open = null_open,
		.close = null_close,
	},
	.write = null_write,
};
