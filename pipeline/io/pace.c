/* Pace: see the header. */

#include "pipeline/io/pace.h"

#include <assert.h>

enum { LONG_NS = 10 * 1000 * 1000, REST = 20 };

bool pace_is_quick(const struct pace *pace, uint64_t now_ns)
{
	return now_ns >= pace->quick_from;
}

void pace_took(struct pace *pace, uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t took = end_ns - begin_ns;

	assert(end_ns >= begin_ns);
	if (took >= LONG_NS)
		pace->quick_from = end_ns + REST * took;
}
