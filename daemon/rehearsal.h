/* A rehearsal: one pipeline, played by its own stages, between sources that give what a trial says and sinks that gather
 * what comes. Nothing that the configuration names is opened.
 *
 * Sources and sinks keep their place, their name and what their kind means to the stages: a connection's last record is
 * completed, a datagram ends a record. What compresses passes on what it gets. Each string that goes in is read by
 * itself; behind the last one all timers pass, then the streams end. No real time passes.
 */
#pragma once

#include "pipeline/trials.h"

/* What came to a sink. */
struct gathered {
	const char *node;
	char *data;
	size_t size, room;
	bool apart;   /* datagrams: each ends at one of `ends` */
	size_t *ends; /* bytes from the start */
	size_t end_count, end_room;
};

struct rehearsal {
	const struct trial *trial;
	struct gathered *sinks; /* in data order */
	size_t sink_count;
	char *losses; /* what nodes dropped and why, a line each; NULL: it did not come to an end */
};

/* Plays a trial of a plan. False with faults where that is not possible. To be closed in either case. */
bool rehearsal_run(struct rehearsal *rehearsal, const struct plan *plan, const struct trial *trial,
	struct faults *faults);

/* What came to a sink that the trial names. */
const struct gathered *rehearsal_find(const struct rehearsal *rehearsal, const char *node);

void rehearsal_close(struct rehearsal *rehearsal);
