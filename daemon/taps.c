/* Taps that are open. */
#include "daemon/taps.h"

#include "daemon/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 };

bool taps_open(struct taps *taps, uint32_t workers)
{
	pthread_condattr_t attributes;

	*taps = (struct taps){ .workers = workers,
		.attended = calloc(workers, sizeof(*taps->attended)) };
	if (!taps->attended)
		return false;
	pthread_mutex_init(&taps->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&taps->detached, &attributes);
	pthread_condattr_destroy(&attributes);
	return true;
}

static void free_tapping(struct tapping *tapping)
{
	for (uint32_t i = 0; tapping->taps && i < tapping->count; i++)
		tap_destroy(tapping->taps[i]);
	free(tapping->taps);
	free(tapping->node);
	if (tapping->bell > 0)
		close(tapping->bell);
	*tapping = (struct tapping){ 0 };
}

void taps_close(struct taps *taps)
{
	if (!taps->attended)
		return;
	for (size_t i = 0; i < TAPS_MOST; i++)
		free_tapping(&taps->items[i]);
	pthread_cond_destroy(&taps->detached);
	pthread_mutex_destroy(&taps->lock);
	free(taps->attended);
	taps->attended = NULL;
}

static bool is_attached(const struct tapping *tapping)
{
	struct tap_facts facts;

	tapping_look(tapping, &facts);
	return facts.places > 0;
}

/* --- a worker's ---------------------------------------------------------------------------------------------------- */

static void attend(struct tapping *tapping, uint32_t worker, struct engine *engine)
{
	if (tapping->state == TAPPING_OPEN)
		tap_attach(tapping->taps[worker], engine, tapping->node);
	else if (tapping->state == TAPPING_ENDS)
		tap_detach(tapping->taps[worker]);
}

void taps_attend(struct taps *taps, uint32_t worker, struct engine *engine)
{
	const uint64_t changes = atomic_load_explicit(&taps->changes, memory_order_acquire);

	if (changes == 0)
		return;
	const struct tap_attendance now = { changes, engine_changes(engine) };
	struct tap_attendance *last = &taps->attended[worker];
	if (last->taps == now.taps && last->pipelines == now.pipelines)
		return;
	*last = now;
	pthread_mutex_lock(&taps->lock); /* who else has it holds it for a moment */
	for (size_t i = 0; i < TAPS_MOST; i++)
		attend(&taps->items[i], worker, engine);
	pthread_cond_broadcast(&taps->detached);
	pthread_mutex_unlock(&taps->lock);
}

/* --- the looker's -------------------------------------------------------------------------------------------------- */

void tapping_ring(const struct tapping *tapping)
{
	const uint64_t one = 1;

	/* Full is as good: it is readable. */
	if (write(tapping->bell, &one, sizeof(one)) < 0)
		return;
}

void tapping_hush(const struct tapping *tapping)
{
	uint64_t rung;

	if (read(tapping->bell, &rung, sizeof(rung)) < 0)
		return; /* it was not rung */
}

static void ring(void *context)
{
	tapping_ring(context);
}

static bool make(struct tapping *tapping, const struct tapping_wish *wish, uint32_t workers)
{
	const struct tap_options options = { .text = wish->text,
		.text_size = wish->text_size,
		.rate = wish->rate,
		.wake = ring,
		.context = tapping };

	tapping->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	tapping->node = strdup(wish->node);
	tapping->taps = calloc(workers, sizeof(struct tap *));
	tapping->count = workers;
	if (tapping->bell < 0 || !tapping->node || !tapping->taps)
		return false;
	for (uint32_t i = 0; i < workers; i++)
		if (!(tapping->taps[i] = tap_create(&options)))
			return false;
	return true;
}

static struct tapping *find_free(struct taps *taps)
{
	for (size_t i = 0; i < TAPS_MOST; i++) {
		struct tapping *tapping = &taps->items[i];
		if (tapping->state == TAPPING_ENDS && !is_attached(tapping))
			free_tapping(tapping);
		if (tapping->state == TAPPING_FREE)
			return tapping;
	}
	return NULL;
}

struct tapping *taps_begin(struct taps *taps, const struct tapping_wish *wish, const char **why)
{
	pthread_mutex_lock(&taps->lock);
	struct tapping *tapping = find_free(taps);
	if (!tapping) {
		*why = "as many taps are open as there may be at once";
	} else if (!make(tapping, wish, taps->workers)) {
		*why = "not enough memory";
		free_tapping(tapping);
		tapping = NULL;
	} else {
		tapping->state = TAPPING_OPEN;
		atomic_fetch_add(&taps->changes, 1);
	}
	pthread_mutex_unlock(&taps->lock);
	return tapping;
}

void taps_end(struct taps *taps, struct tapping *tapping)
{
	pthread_mutex_lock(&taps->lock);
	tapping->state = TAPPING_ENDS;
	atomic_fetch_add(&taps->changes, 1);
	pthread_mutex_unlock(&taps->lock);
}

void taps_await(struct taps *taps, struct tapping *tapping)
{
	const struct timespec end = clock_after(PATIENCE_MS);
	int late = 0;

	pthread_mutex_lock(&taps->lock);
	while (is_attached(tapping) && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&taps->detached, &taps->lock, &end);
	if (!is_attached(tapping))
		free_tapping(tapping);
	pthread_mutex_unlock(&taps->lock);
}

bool tapping_next(struct tapping *tapping, struct sample *sample)
{
	for (uint32_t i = 0; i < tapping->count; i++) {
		struct tap *tap = tapping->taps[tapping->next];
		tapping->next = (tapping->next + 1) % tapping->count;
		if (tap_next(tap, sample))
			return true;
	}
	return false;
}

void tapping_look(const struct tapping *tapping, struct tap_facts *facts)
{
	*facts = (struct tap_facts){ 0 };
	for (uint32_t i = 0; tapping->taps && i < tapping->count; i++) {
		struct tap_facts one;
		tap_look(tapping->taps[i], &one);
		facts->places += one.places;
		facts->attached += one.attached;
		facts->passed += one.passed;
		facts->missed += one.missed;
	}
}

size_t taps_list(struct taps *taps, struct tapped_node nodes[TAPS_MOST])
{
	size_t count = 0;

	pthread_mutex_lock(&taps->lock);
	for (size_t i = 0; i < TAPS_MOST; i++) {
		const struct tapping *tapping = &taps->items[i];
		if (tapping->state != TAPPING_OPEN)
			continue;
		snprintf(nodes[count].name, sizeof(nodes[count].name), "%s", tapping->node);
		tapping_look(tapping, &nodes[count++].facts);
	}
	pthread_mutex_unlock(&taps->lock);
	return count;
}
