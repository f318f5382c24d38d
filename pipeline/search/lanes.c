/* What this processor offers. */

#include "pipeline/search/lanes.h"

static enum lanes most = LANES_WIDE;

void lanes_limit_for_tests(enum lanes limit)
{
	most = limit;
}

static enum lanes there_is(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2"))
		return LANES_WIDE;
	return __builtin_cpu_supports("ssse3") ? LANES_TABLE : LANES_BLOCK;
#elif defined(__aarch64__)
	return LANES_TABLE;
#else
	return LANES_WORD;
#endif
}

enum lanes lanes_best(void)
{
	enum lanes best = there_is();
	return best < most ? best : most;
}

const char *lanes_name(void)
{
#if defined(__aarch64__)
	return lanes_best() == LANES_WORD ? "none" : "NEON";
#else
	static const char *const names[] = { "none", "SSE2", "SSSE3", "AVX2" };
	return names[lanes_best()];
#endif
}
