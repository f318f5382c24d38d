/* What nodes may ask of the core. */

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <string.h>

static void folds_what_repeats(struct running *running)
{
	struct log_gate gate = { 0 };

	cr_assert(running_open(running, "", "'p':{'from':'stdin','to':'null'}"));
	struct node *node = running_node(running, "p.to.0");
	for (unsigned i = 0; i < 3; i++)
		node_log_gated(node, &gate, LOG_LEVEL_WARNING, "event %u", i);
	cr_assert(strstr(running->log, "warning event 0\n"));
	cr_assert_null(strstr(running->log, "event 1"));
	gate.next = 0; /* its second has passed */
	node_log_gated(node, &gate, LOG_LEVEL_WARNING, "event %u", 3);
	cr_assert(strstr(running->log, "warning event 3 (2 more since the last such line)\n"));
	running_close(running);
}

Test(node, folds_what_repeats)
{
	running_on_both(folds_what_repeats);
}

Test(node, names_itself_in_a_fault_at_the_start)
{
	struct faults faults = { 0 };
	struct node node = { .name = "p.to.0" };

	cr_assert_not(node_fault(&node, &faults, "try again", "cannot %s", "begin"));
	cr_assert_eq(faults.errors, 1);
	cr_assert_str_eq(faults.items[0].message, "p.to.0: cannot begin");
	cr_assert_str_eq(faults.items[0].remedy, "try again");
	cr_assert_null(faults.items[0].file);
	faults_close(&faults);
}
