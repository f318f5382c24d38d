/* Retrying: the pauses between attempts to reach a peer.
 *
 * Each pause is twice the one before, up to the longest, and varies by a quarter, so that many who lost one peer don't
 * come back all at once.
 */
#pragma once

#include "config/option.h"

/* The options; a sink has them as its group `retry`. */
struct retry {
	uint64_t first, most; /* ms */
};

extern const struct option retry_options[];

struct pauses {
	uint64_t next; /* ms, before it varies */
	uint32_t random;
};

/* Begins anew: the next pause is the first. Seeds itself when that is done for the first time. */
void pauses_begin(struct pauses *pauses, const struct retry *retry);

/* The pause before the next attempt, in ms. */
uint64_t pauses_next(struct pauses *pauses, const struct retry *retry);
