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

struct loneliness {
	const char *pipelines, *sink;
	bool alone;
};

#define FROM "'from':{'file':'in'},'stages':['split'],"

static const struct loneliness rows[] = {
	{ "'p':{" FROM "'to':{'file':'out'}}", "p.to.0", true },
	{ "'p':{'from':{'tcp':'127.0.0.1:0'},'stages':['split'],'to':{'file':'out'}}", "p.to.0",
		true },
	{ "'p':{" FROM "'to':['null',{'file':'out'}]}", "p.to.1", false },
	{ "'p':{" FROM "'to':[{'file':'a'},{'file':'b'}]}", "p.to.0", true },
	{ "'p':{" FROM "'to':[{'file':'a'},{'file':'b','when_full':'drop'}]}", "p.to.0", false },
	{ "'p':{" FROM "'to':{'file':'a'}},'q':{'from':{'file':'in'},'to':{'file':'b'}}", "p.to.0",
		false },
	{ "'p':{'from':{'udp':'127.0.0.1:0'},'stages':['split'],'to':{'file':'out'}}", "p.to.0",
		true },
	{ "'p':{'from':{'unix':'socket'},'stages':['split'],'to':{'file':'out'}}", "p.to.0",
		false },
	{ "'p':{'from':[{'file':'in'},{'unix':'socket'}],'stages':['split'],"
	  "'to':{'file':'out'}}",
		"p.to.0", false },
};

static void knows_a_sink_that_keeps_nobody_waiting(struct running *running)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert(running_open(running, "'workers':1", "%s", rows[i].pipelines), "row %zu",
			i);
		cr_assert_eq(node_is_alone(running_node(running, rows[i].sink)), rows[i].alone,
			"row %zu", i);
		running_close(running);
	}
}

Test(node, knows_a_sink_that_keeps_nobody_waiting)
{
	running_on_both(knows_a_sink_that_keeps_nobody_waiting);
}

Test(node, what_goes_on_is_told_once_a_minute)
{
	struct log_gate gate = { 0 };
	uint64_t missed = 99;

	cr_expect(log_gate_open_slowly(&gate, 1000, &missed), "at first");
	cr_expect_eq(missed, 0);
	cr_expect_not(log_gate_open_slowly(&gate, 2001, &missed));
	cr_expect_not(log_gate_open_slowly(&gate, 60999, &missed));
	cr_expect(log_gate_open_slowly(&gate, 61000, &missed), "a minute later");
	cr_expect_eq(missed, 2);
	cr_expect_not(log_gate_open_slowly(&gate, 61001, &missed));
}
