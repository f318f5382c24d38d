/* The actors of a rehearsal: they take the place of the types of nodes. Each has its type in front, and its role behind
 * it; it lies in the arena of the trial's document.
 */
#pragma once

#include "daemon/rehearsal.h"
#include "pipeline/node.h"

/* From now on the source gives what the trial says. */
void rehearsal_source_cast(const struct rehearsal *rehearsal, struct node *node);

/* From now on the sink gathers what comes, in the next of the rehearsal's `sinks`. */
void rehearsal_sink_cast(struct rehearsal *rehearsal, struct node *node);
