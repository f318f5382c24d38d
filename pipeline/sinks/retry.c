/* Retrying: see the header. */

#include "pipeline/sinks/retry.h"

#include <time.h>
#include <unistd.h>

const struct option retry_options[] = {
	OPTION(TIME, struct retry, first, .standard = "100ms", .least = "1ms", .most = "1h",
		.doc = "The pause after the first failure; each further one is twice as long."),
	OPTION(TIME, struct retry, most, .standard = "30s", .least = "1ms", .most = "1d",
		.doc = "The longest pause between two attempts."),
	OPTIONS_END
};

static uint64_t at_most(const struct retry *retry, uint64_t pause)
{
	return pause < retry->most ? pause : retry->most;
}

static uint32_t seed(const struct pauses *pauses)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint32_t)now.tv_nsec ^ (uint32_t)getpid() << 8 ^ (uint32_t)(uintptr_t)pauses) | 1;
}

/* Xorshift: never 0 if it does not begin so. */
static uint32_t next_random(struct pauses *pauses)
{
	pauses->random ^= pauses->random << 13;
	pauses->random ^= pauses->random >> 17;
	pauses->random ^= pauses->random << 5;
	return pauses->random;
}

void pauses_begin(struct pauses *pauses, const struct retry *retry)
{
	pauses->next = at_most(retry, retry->first);
	if (!pauses->random)
		pauses->random = seed(pauses);
}

uint64_t pauses_next(struct pauses *pauses, const struct retry *retry)
{
	uint64_t pause = pauses->next, range = pause / 2;

	pauses->next = at_most(retry, pause * 2);
	return pause - pause / 4 + next_random(pauses) % (range + 1);
}
