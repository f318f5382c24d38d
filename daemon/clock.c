/* The monotonic clock. */
#include "daemon/clock.h"

uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct timespec clock_after(uint64_t ms)
{
	const uint64_t then = clock_ms() + ms;

	return (struct timespec){ .tv_sec = (time_t)(then / 1000),
		.tv_nsec = (long)(then % 1000) * 1000000 };
}
