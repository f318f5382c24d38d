/* The monotonic clock, for threads that have no loop. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t clock_ms(void);

/* The time in so many milliseconds, for pthread_cond_timedwait() on that clock. */
struct timespec clock_after(uint64_t ms);
