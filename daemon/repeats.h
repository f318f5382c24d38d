/* Repeats: events of the log that say the same within a second are said once, and then how often they came again.
 *
 *     x  x x   x  │    x                  x is written when it comes first, and "x (repeated 3 times)" a second later;
 *     └── 1 s ────┘ └──── 1 s … ──┘       as long as it goes on, once a second
 *
 * Some of the latest events are remembered, so that two that take turns are folded too.
 */
#pragma once

#include "pipeline/node.h"

enum { REPEATS_MOST = 16, REPEAT_TEXT = 700, REPEAT_MS = 1000 };

/* An event, as it was told. */
struct event {
	enum log_level level;
	const char *pipeline, *node, *text; /* the first two may be NULL */
};

struct repeat {
	uint64_t until; /* ms; 0: the place is free */
	uint64_t count; /* since it was written */
	uint64_t last;  /* when it came last, among all */
	struct event event;
	char room[REPEAT_TEXT]; /* its strings */
};

struct repeats {
	struct repeat items[REPEATS_MOST];
	uint64_t folded; /* so many so far */
};

/* True if the event has been written within the last second: it is counted. Else it is remembered. Too long ones are
 * never the same. */
bool repeats_fold(struct repeats *repeats, const struct event *event, uint64_t now);

/* One that is to be told of, because its second is over and it has come again, or because that of a later one of the same
 * node is; NULL: none is. It is counted anew for the next second; `count` gets how often it came. What is returned stays
 * until the next call. */
const struct event *repeats_due(struct repeats *repeats, uint64_t now, uint64_t *count);

/* The same of one whose place the next event may need. To be asked for before repeats_fold(). */
const struct event *repeats_crowded(struct repeats *repeats, uint64_t now, uint64_t *count);

/* One of the same node that came again before this event, which was not folded and is to be written: it would be told when
 * it is no longer so. NULL: there is none more. */
const struct event *repeats_overtaken(
	struct repeats *repeats, const struct event *event, uint64_t *count);

/* Milliseconds until there is something to tell of; −1: nothing is. */
int repeats_patience(const struct repeats *repeats, uint64_t now);
