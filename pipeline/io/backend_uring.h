/* The ring of the uring backend, and how it is set up: narrowed to the requests that are in use
 * before it is enabled. */
#pragma once

#include "pipeline/io/operation_list.h"

#include <liburing.h>

enum { URING_REQUESTS = 256, URING_COMPLETIONS = 4096 };

struct uring {
	struct io_uring ring;
	struct operation_list
		waiting; /* operations, or cancels of some, that found no room in the ring */
	struct operation_list cancelling; /* operations that the ring was asked to cancel */
	uint64_t cancel_again;            /* ms: when it is asked once more */
	bool watches_libuv;
	bool moves; /* what is to be submitted may end at once: it is more than polls */
	struct msghdr messages[URING_REQUESTS]; /* one for each place in the submission queue */
};

/* Makes the ring for the calling thread, which must be the one that uses it. False with `why`. */
bool backend_uring_set_up(struct io_uring *ring, const char **why);
