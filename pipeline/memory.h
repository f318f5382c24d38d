/* What the files that divide memory share: groups of pipelines, and what they need. */
#pragma once

#include "pipeline/draft.h"

enum { USUAL_MAX_RECORD = 1 << 20 };

/* Pipelines that share one memory. */
struct group {
	const struct plan *plan;
	struct draft **drafts;
	size_t count;
	uint64_t memory; /* that they share */
	bool own;        /* it is one pipeline's own */
	unsigned
		kept; /* this part of what pools could have is left free: 8 is an eighth; 0: none */
};

uint64_t memory_divide_up(uint64_t amount, uint64_t by);

/* Walks the group with a max_record of this many buffers where none is set. True if all fit. */
bool memory_try(const struct group *group, uint64_t pieces);

/* Finds the most pieces that fit, and leaves the group walked with it. False if not even one does. */
bool memory_settle(const struct group *group);

/* Of a group that was walked: the buffers that each must get, since they share evenly (`draft` gets the one that needs
 * them); those that each gets of all there are; and what is charged beside. */
uint64_t memory_buffers_needed(const struct group *group, const struct draft **draft);
uint32_t memory_settle_buffers(const struct group *group);
uint64_t memory_charges(const struct group *group);

/* The pipeline gets these: its quotas follow. */
void memory_finish(struct pipeline *pipeline, uint32_t buffers);

/* Divides what the group has. `apart`: what others have of their own, for the fault. */
bool memory_divide_group(struct group *group, uint64_t apart, struct faults *faults);

/* Up to a number that a person would write: at most an eighth more. */
const char *memory_natural(uint64_t bytes, char text[32]);

/* Divides it while other pipelines run; see memory_within.c. */
bool memory_divide_within(struct plan *plan, struct draft *drafts, struct faults *faults);
