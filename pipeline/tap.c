/* Taps: making them, attaching them to nodes, and the looker's end. */

#include "pipeline/tap.h"

#include "pipeline/tapped.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void do_nothing(void *context)
{
	(void)context;
}

struct tap *tap_create(const struct tap_options *options)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->rate = options->rate;
	tap->wake = options->wake ? options->wake : do_nothing;
	tap->context = options->context;
	if (!options->text || options->text_size == 0)
		return tap;
	tap->text = malloc(options->text_size);
	if (!tap->text) {
		free(tap);
		return NULL;
	}
	bytes_store(tap->text, options->text, options->text_size);
	tap->text_size = options->text_size;
	return tap;
}

void tap_destroy(struct tap *tap)
{
	if (!tap)
		return;
	assert(atomic_load(&tap->place_count) == 0);
	free(tap->text);
	free(tap);
}

/* --- attaching ----------------------------------------------------------------------------------------------------- */

static bool is_attached(const struct tap *tap, const struct run *run)
{
	for (const struct tapped *place = tap->places; place; place = place->of_tap)
		if (place->run == run)
			return true;
	return false;
}

static void attach(struct tap *tap, struct run *run, struct node *node)
{
	struct tapped *place = calloc(1, sizeof(*place));

	if (!place)
		return;
	struct edge *edge = edge_of(node->out ? node->out : node->in);
	*place = (struct tapped){ .tap = tap,
		.run = run,
		.node = node,
		.edge = edge,
		.seen = edge->batch.put,
		.of_run = run->taps,
		.of_tap = tap->places };
	run->taps = place;
	tap->places = place;
	atomic_fetch_add(&tap->place_count, 1);
	atomic_fetch_add(&tap->attached, 1);
}

void tap_attach(struct tap *tap, struct engine *engine, const char *name)
{
	if (tap->engine == engine && tap->changes == engine->changes)
		return;
	tap->engine = engine;
	tap->changes = engine->changes;
	for (size_t i = 0; i < engine->count && engine->opened; i++) {
		struct run *run = engine->runs[i];
		for (size_t k = 0; k < run->pipeline->node_count; k++) {
			struct node *node = run->pipeline->nodes[k];
			if (strcmp(node->name, name) == 0 && !is_attached(tap, run))
				attach(tap, run, node);
		}
	}
}

static void detach(struct tapped *place, struct tapped **of_run, struct tapped **of_tap)
{
	while (*of_run != place)
		of_run = &(*of_run)->of_run;
	*of_run = place->of_run;
	while (*of_tap != place)
		of_tap = &(*of_tap)->of_tap;
	*of_tap = place->of_tap;
	atomic_fetch_sub(&place->tap->place_count, 1);
	free(place);
}

void tap_detach(struct tap *tap)
{
	while (tap->places)
		detach(tap->places, &tap->places->run->taps, &tap->places);
}

void run_detach_taps(struct run *run)
{
	while (run->taps)
		detach(run->taps, &run->taps, &run->taps->tap->places);
}

/* --- the looker's end ---------------------------------------------------------------------------------------------- */

bool tap_next(struct tap *tap, struct sample *sample)
{
	tap_ring_let_go(&tap->ring);
	if (tap_ring_is_empty(&tap->ring)) {
		atomic_store(&tap->waits, true);
		if (tap_ring_is_empty(&tap->ring)) /* what comes from now on wakes */
			return false;
	}
	*sample = tap_ring_take(&tap->ring);
	return true;
}

void tap_look(const struct tap *tap, struct tap_facts *facts)
{
	*facts = (struct tap_facts){ .places = atomic_load(&tap->place_count),
		.attached = atomic_load(&tap->attached),
		.passed = atomic_load(&tap->passed),
		.missed = atomic_load(&tap->ring.missed) };
}
