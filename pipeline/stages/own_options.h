/* Options that belong to one choice of a kind's primary option: beside another choice they are refused. */
#pragma once

#include "pipeline/node.h"

struct own_option {
	const char *name; /* NULL ends a table */
	unsigned choice;
};

/* `chooser` is the primary option ("on"), `names` its choices, `chosen` what it is. False with a fault at each option of
 * the table that is there and belongs to another choice. */
bool own_options_check(const struct own_option *table, const struct node *node, const char *chooser,
	const char *const *names, unsigned chosen, struct faults *faults);

/* The value of one of the node's options; NULL if it is not given. */
const struct value *own_options_given(const struct node *node, const char *name);
