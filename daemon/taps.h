/* The taps that are open: for each, who wants to see which node, and a tap a worker.
 *
 *     looker:   taps_begin ── wakes the workers ── tapping_next … taps_end ── wakes the workers ── taps_await
 *     worker:   between two turns, taps_attend: attaches and detaches what is its own
 *
 * A tap follows its node's name: where a reload puts another node in the place of it, it is attached to that.
 */
#pragma once

#include "pipeline/tap.h"

#include <pthread.h>

enum { TAPS_MOST = 4 };

struct tapping_wish {
	const char *node;
	const char *text; /* only what contains this; NULL: everything */
	size_t text_size;
	uint64_t rate; /* samples a second; 0: all */
};

struct tapping {
	enum { TAPPING_FREE, TAPPING_OPEN, TAPPING_ENDS } state;
	char *node;
	struct tap **taps; /* a worker each */
	uint32_t count, next;
	int bell; /* readable when there may be samples after there were none */
};

/* What a worker has attended to. */
struct tap_attendance {
	uint64_t taps, pipelines;
};

struct taps {
	pthread_mutex_t lock;
	pthread_cond_t detached;
	_Atomic uint64_t changes;        /* taps that were opened or ended */
	struct tap_attendance *attended; /* a worker each */
	uint32_t workers;
	struct tapping items[TAPS_MOST];
};

/* False without memory. */
bool taps_open(struct taps *taps, uint32_t workers);

/* The workers have ended. Zeroed is allowed. */
void taps_close(struct taps *taps);

/* On a worker's thread, between turns. Costs nothing where no tap was opened or ended since. */
void taps_attend(struct taps *taps, uint32_t worker, struct engine *engine);

/* --- on any other thread --- */

/* Opens a tap; the workers are to be woken then. NULL, with the reason, if there are too many, or without memory. */
struct tapping *taps_begin(struct taps *taps, const struct tapping_wish *wish, const char **why);

/* Ends it; the workers are to be woken then, and awaited. What they don't let go of soon is freed later. */
void taps_end(struct taps *taps, struct tapping *tapping);
void taps_await(struct taps *taps, struct tapping *tapping);

/* The next sample, of any worker. It stays until the next call. */
bool tapping_next(struct tapping *tapping, struct sample *sample);

/* The sums of all workers' taps. */
void tapping_look(const struct tapping *tapping, struct tap_facts *facts);

/* What is tapped now. */
struct tapped_node {
	char name[256];
	struct tap_facts facts;
};
size_t taps_list(struct taps *taps, struct tapped_node nodes[TAPS_MOST]);

/* Has whoever polls the bell look again. */
void tapping_ring(const struct tapping *tapping);
/* The bell was heard. */
void tapping_hush(const struct tapping *tapping);
