/* Taps: samples of what leaves a node, or enters a sink, for somebody who looks on.
 *
 *     worker:   after a node's step, if its pipeline is tapped: looks at what the node has put, copies samples ──▶ ring
 *     looker:   tap_next(), on any one thread                                                          samples ◀──┘
 *
 * A tap belongs to one worker and one looker. The worker never waits: what finds no room in the ring is counted as
 * missed, what comes faster than `rate` is passed over. The ring is made when the tap is, and is the tap's own. Where no
 * tap is open, a node's step costs one branch more.
 */
#pragma once

#include "pipeline/engine.h"

#include <stdatomic.h>

enum {
	TAP_RING = 256 * 1024, /* bytes */
	TAP_MOST = 16 * 1024   /* bytes of a sample; what is longer is cut */
};

struct sample {
	const char *data;      /* stays until the next tap_next() */
	uint32_t size;         /* that are there */
	uint32_t content;      /* where the content begins: behind a prefix */
	uint32_t content_size; /* without a delimiter; of those that are there */
	uint64_t whole;        /* bytes of the record; more than `size` if it was cut */
};

struct tap_options {
	const char *text; /* only what contains this; NULL: everything */
	size_t text_size;
	uint64_t rate; /* samples a second; 0: all */
	void (*wake)(
		void *context); /* on the worker's thread: there are samples, after there were none */
	void *context;
};

struct tap;

/* NULL without memory. The text is copied. */
struct tap *tap_create(const struct tap_options *options);

/* It must be attached nowhere. NULL is allowed. */
void tap_destroy(struct tap *tap);

/* --- on the worker's thread, between turns --- */

/* Attaches the tap wherever a node has this full name (in each shard), unless it is already. */
void tap_attach(struct tap *tap, struct engine *engine, const char *node);

/* Lets go of all that it is attached to. */
void tap_detach(struct tap *tap);

/* --- on the looker's thread --- */

/* The next sample, if there is one. */
bool tap_next(struct tap *tap, struct sample *sample);

struct tap_facts {
	uint32_t places;   /* where it is attached now */
	uint64_t attached; /* how often it was attached */
	uint64_t passed;   /* records that went by (of bytes and frames: views) */
	uint64_t missed;   /* that should have been given, but found no room */
};
void tap_look(const struct tap *tap, struct tap_facts *facts);
