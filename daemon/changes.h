/* Changes: what another configuration makes of the pipelines that run. Nothing is changed here: it is found out, planned
 * within the memory that there is, and written down as orders.
 *
 *     the same in both     goes on: it takes the place of its twin in the new plan
 *     changed              REPLACE
 *     gone                 RETIRE
 *     new                  ADD
 */
#pragma once

#include "daemon/orders.h"

struct changes {
	struct plan *next;
	struct order *orders;
	size_t count;
};

/* How many pipelines (their shards) become what. */
struct change_counts {
	size_t changed, added, removed, untouched;
};

/* Refuses what of the service cannot change while it runs: a fault for each. */
bool changes_allowed(
	const struct plan *was, const struct document *document, struct faults *faults);

/* Plans a document that is to take the place of `was`, within the memory that there is. NULL with faults. */
struct plan *changes_plan(
	const struct plan *was, const struct document *document, struct faults *faults);

/* Finds what is to be done so that `next` runs, and puts what goes on untouched into it. False without memory. */
bool changes_find(struct changes *changes, const struct plan *was, struct plan *next);

/* True if any of it was done, so that there is no way back but forward. */
bool changes_begun(const struct changes *changes);

/* Of what could not even be handed over, the old one stays in the plan. */
void changes_keep_old(struct changes *changes);

struct change_counts changes_count(const struct changes *changes);

/* Forgets the orders, none of which is a worker's any more. */
void changes_close(struct changes *changes);
