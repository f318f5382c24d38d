/* What a tap is inside: what of the worker's, and where it is attached. */
#pragma once

#include "pipeline/run.h"
#include "pipeline/tap_ring.h"

struct tap {
	char *text;
	size_t text_size;
	uint64_t rate;
	void (*wake)(void *context);
	void *context;

	/* The worker's. */
	struct tapped *places;
	const struct engine *engine;
	uint64_t changes;    /* of the engine's pipelines, when it was attached last */
	double allowance;    /* samples that may be given now */
	uint64_t allowed_at; /* ms */
	bool given;          /* something, in this look */

	/* Of both. */
	_Atomic uint64_t passed, attached;
	_Atomic uint32_t place_count;
	atomic_bool waits; /* the looker has found nothing */

	struct tap_ring ring;
};

/* A place where a tap is attached. */
struct tapped {
	struct tap *tap;
	struct run *run;
	struct node *node;
	struct edge *edge; /* where what it looks at lies */
	struct flow_count seen;
	struct tapped *of_run, *of_tap; /* the next ones */
};
