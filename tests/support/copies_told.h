/* What explain tells of copies, against what was counted. */
#pragma once

#include <stdbool.h>

struct node;
struct plan;

/* True if the node copied for no other reason than explain gives, and no more than it says. */
bool copies_are_told(const struct node *node);

/* Fails the test if that is not so of every node of every pipeline. */
void copies_told_check(const struct plan *plan);
