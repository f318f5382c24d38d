/* The one place where user space copies payload.
 *
 * Every copy of payload bytes in the data path goes through payload_copy(), which counts it for a reason. A test keeps
 * memcpy and memmove out of the data path elsewhere.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum copy_reason {
	COPY_ASIDE, /* unfinished records that pinned too much of the pool */
	COPY_THIN,  /* views of a sixteenth of their buffer or less, when the pool is empty */
	COPY_PIECES, /* a record in more pieces than an edge holds: no kind of node makes one so far */
	COPY_STAGE,  /* a codec's staging block */
	COPY_TAP,    /* samples for somebody who looks on */
	COPY_EXPORT, /* a view's bytes given to a caller as memory of its own */
	COPY_REASONS
};

struct copies {
	uint64_t bytes[COPY_REASONS];
};

/* The reason's name in metrics. */
const char *copy_reason_name(enum copy_reason reason);

/* Copies `size` bytes of payload and counts them. */
void payload_copy(
	char *to, const char *from, size_t size, enum copy_reason reason, struct copies *copies);

/* Gathers `size` bytes into scratch, where they are only looked at, and counts them as peeked. */
void payload_peek(char *scratch, const char *from, size_t size, uint64_t *peeked);

/* The bytes copied for all reasons together. */
uint64_t copies_sum(const struct copies *copies);

/* Puts a producer's own bytes into a buffer. They become payload by this, so it is not counted. */
void bytes_store(char *to, const void *bytes, size_t size);
