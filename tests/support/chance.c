/* Chance: see the header. */

#include "tests/support/chance.h"

#include <criterion/logging.h>
#include <stdlib.h>
#include <time.h>

/* Tests that never begin have this seed. */
static uint64_t seed = 0x9e3779b97f4a7c15, state = 0x9e3779b97f4a7c15;

void chance_begin_with(uint64_t usual)
{
	const char *given = getenv("SEED");

	seed = given ? strtoull(given, NULL, 0) : usual;
	state = seed * 0x9e3779b97f4a7c15 | 1; /* of 0 only zeros would come */
	cr_log_info("SEED=%llu", (unsigned long long)seed);
}

void chance_begin(void)
{
	chance_begin_with((uint64_t)time(NULL));
}

uint64_t chance_seed(void)
{
	return seed;
}

/* Marsaglia's xorshift. */
uint32_t chance(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % below;
}
