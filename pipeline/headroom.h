/* Headroom: whether what is planned fits into the machine. The kernel kills who takes more than there is. */
#pragma once

#include "pipeline/plan.h"

/* Warns where the service's memory, and what the process takes beside it, come to more than `most` bytes, which is what
 * `whose` ("this machine") has. */
void headroom_check(
	const struct plan *plan, uint64_t most, const char *whose, struct faults *faults);
