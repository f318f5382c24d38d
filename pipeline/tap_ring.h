/* The ring of a tap: samples on their way from the worker that makes them to whoever looks at them.
 *
 * One thread puts and one takes, without a lock. A sample lies in one piece, in front of it a head; what is begun is not
 * seen before it is published, and one that is never published leaves nothing behind.
 */
#pragma once

#include "pipeline/flow/copy.h"
#include "pipeline/flow/framing.h"
#include "pipeline/tap.h"

enum { TAP_ALIGNED = 8 };

struct tap_head {
	uint32_t size; /* of the sample; or that nothing more comes up to the ring's end */
	uint32_t content, content_size;
	uint32_t unused;
	uint64_t whole;
};

struct tap_ring {
	/* Of the thread that puts. */
	struct tap_head *begun; /* where the next sample is being made; NULL: nowhere */
	uint64_t begun_at;      /* its place, in bytes put */

	/* Of both. */
	_Atomic uint64_t put, taken; /* bytes, since the start */
	_Atomic uint64_t missed;     /* samples that found no room */

	/* Of the thread that takes. */
	size_t held; /* bytes that the last sample takes */

	_Alignas(TAP_ALIGNED) char bytes[TAP_RING];
};

/* --- putting --- */

/* Finds room for a sample of at most `size` bytes; none leaves `begun` NULL, and counts. */
void tap_ring_begin(struct tap_ring *ring, size_t size);

/* More of the sample that was begun, if one was; the copy is counted. */
void tap_ring_add(struct tap_ring *ring, const char *data, size_t size, struct copies *copies);

/* The bytes of the sample that was begun. */
const char *tap_ring_data(const struct tap_ring *ring);

/* The sample that was begun can be taken. What was cut off is not there to be shown. */
void tap_ring_publish(struct tap_ring *ring, struct content content);

/* --- taking --- */

bool tap_ring_is_empty(struct tap_ring *ring);

/* Gives back the room of the last sample, which is no longer there. */
void tap_ring_let_go(struct tap_ring *ring);

/* The next sample; there is one, and the last one's room was given back. */
struct sample tap_ring_take(struct tap_ring *ring);
