/* Who holds up whom: what a sink that does not keep up makes wait. */
#pragma once

#include "pipeline/plan.h"

/* The tee's branch that an edge begins; NULL if it begins none. */
const struct branch *holds_branch(const struct edge *edge);

/* How many tees stand before a node. */
unsigned holds_depth(const struct node *node);

/* True if a sink that does not keep up makes `other` wait: a source, or another sink. */
bool holds_up(const struct node *sink, const struct node *other);

/* True if the sink is on a branch that drops. */
bool holds_on_drop(const struct node *sink);
