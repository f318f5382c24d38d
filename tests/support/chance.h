/* Chance: numbers that look random, from a seed that a failing test can be run with again.
 *
 *     SEED=1234 build/release/unit --filter 'finder?*'
 */
#pragma once

#include <stdint.h>

/* Begins with SEED where that is set, or else with what the clock says; the log tells it. */
void chance_begin(void);

/* The same with a seed of the test's own in the clock's place: each run is as the one before. */
void chance_begin_with(uint64_t seed);

/* What it began with. */
uint64_t chance_seed(void);

/* The next number, less than `below`. */
uint32_t chance(uint32_t below);
