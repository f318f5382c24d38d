/* What nodes may ask of the core. */

#include "tests/support/running.h"

#include <criterion/criterion.h>

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
		false },
	{ "'p':{'from':[{'file':'in'},{'udp':'127.0.0.1:0'}],'stages':['split'],"
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
