/* Trouble that lasts: said when it begins, and again each minute, with whom it holds up, until it is over. */
#pragma once

#include "pipeline/node.h"

struct trouble {
	bool lasts;
	uint64_t since, said; /* ms */
	uint64_t times;       /* since it began */
};

/* One more time. `what` has gone wrong ("cannot connect to …"); `next` is what comes of it, said when it begins. */
void trouble_meet(struct trouble *trouble, struct node *node, enum log_level level,
	const char *what, const char *next);

/* It is over. How long it has lasted, in ms. */
uint64_t trouble_end(struct trouble *trouble, const struct node *node);

/* How often is reminded of it; 0: each minute again. */
void trouble_set_interval_for_tests(uint64_t ms);
