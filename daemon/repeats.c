/* Repeats. */
#include "daemon/repeats.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_place(const struct event *a, const struct event *b)
{
	return same_text(a->pipeline, b->pipeline) && same_text(a->node, b->node);
}

static bool is_same(const struct event *a, const struct event *b)
{
	return a->level == b->level && same_place(a, b) && same_text(a->text, b->text);
}

/* Copies a string into the room; false if it does not fit. NULL stays NULL. */
static bool keep(struct repeat *repeat, size_t *used, const char *text, const char **kept)
{
	const size_t size = text ? strlen(text) + 1 : 0;

	*kept = NULL;
	if (!text)
		return true;
	if (size > sizeof(repeat->room) - *used)
		return false;
	memcpy(repeat->room + *used, text, size);
	*kept = repeat->room + *used;
	*used += size;
	return true;
}

static void remember(struct repeat *repeat, const struct event *event, uint64_t now)
{
	size_t used = 0;

	*repeat = (struct repeat){ .until = now + REPEAT_MS, .event.level = event->level };
	if (!keep(repeat, &used, event->pipeline, &repeat->event.pipeline) ||
		!keep(repeat, &used, event->node, &repeat->event.node) ||
		!keep(repeat, &used, event->text, &repeat->event.text))
		repeat->until = 0;
}

/* A free place, or that whose second is over first. */
static struct repeat *find_place(struct repeats *repeats, uint64_t now)
{
	struct repeat *best = &repeats->items[0];

	for (size_t i = 0; i < REPEATS_MOST; i++) {
		struct repeat *repeat = &repeats->items[i];
		if (repeat->until <= now && repeat->count == 0)
			return repeat;
		if (repeat->until < best->until)
			best = repeat;
	}
	return best;
}

bool repeats_fold(struct repeats *repeats, const struct event *event, uint64_t now)
{
	for (size_t i = 0; i < REPEATS_MOST; i++) {
		struct repeat *repeat = &repeats->items[i];
		if (repeat->until > now && is_same(&repeat->event, event)) {
			repeat->count++;
			repeat->last = ++repeats->folded;
			return true;
		}
	}
	remember(find_place(repeats, now), event, now);
	return false;
}

static const struct event *tell(struct repeat *repeat, uint64_t until, uint64_t *count)
{
	*count = repeat->count;
	repeat->count = 0;
	repeat->until = until;
	return &repeat->event;
}

/* Of those of the event's node that came again the one that did so first. */
static struct repeat *find_earliest(struct repeats *repeats, const struct event *event)
{
	struct repeat *earliest = NULL;

	for (size_t i = 0; i < REPEATS_MOST; i++) {
		struct repeat *repeat = &repeats->items[i];
		if (repeat->count > 0 && same_place(&repeat->event, event) &&
			(!earliest || repeat->last < earliest->last))
			earliest = repeat;
	}
	return earliest;
}

const struct event *repeats_due(struct repeats *repeats, uint64_t now, uint64_t *count)
{
	for (size_t i = 0; i < REPEATS_MOST; i++) {
		struct repeat *repeat = &repeats->items[i];
		if (repeat->count > 0 && repeat->until <= now)
			return tell(find_earliest(repeats, &repeat->event), now + REPEAT_MS, count);
	}
	return NULL;
}

const struct event *repeats_overtaken(
	struct repeats *repeats, const struct event *event, uint64_t *count)
{
	struct repeat *repeat = find_earliest(repeats, event);

	return repeat ? tell(repeat, repeat->until, count) : NULL;
}

const struct event *repeats_crowded(struct repeats *repeats, uint64_t now, uint64_t *count)
{
	struct repeat *repeat = find_place(repeats, now);

	return repeat->count > 0 ? tell(repeat, now, count) : NULL;
}

int repeats_patience(const struct repeats *repeats, uint64_t now)
{
	int patience = -1;

	for (size_t i = 0; i < REPEATS_MOST; i++) {
		const struct repeat *repeat = &repeats->items[i];
		if (repeat->count == 0)
			continue;
		const int left = repeat->until > now ? (int)(repeat->until - now) : 0;
		if (patience < 0 || left < patience)
			patience = left;
	}
	return patience;
}
