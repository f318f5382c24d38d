/* The functions that move bytes: one copies payload, one only looks, one brings a producer's own. */

#include "pipeline/flow/copy.h"

#include <string.h>

static const char *const names[COPY_REASONS] = {
	[COPY_ASIDE] = "aside",
	[COPY_THIN] = "thin",
	[COPY_PIECES] = "pieces",
	[COPY_STAGE] = "stage",
	[COPY_TAP] = "tap",
	[COPY_EXPORT] = "export",
};

const char *copy_reason_name(enum copy_reason reason)
{
	return names[reason];
}

void payload_copy(
	char *to, const char *from, size_t size, enum copy_reason reason, struct copies *copies)
{
	if (size == 0)
		return;
	memcpy(to, from, size);
	copies->bytes[reason] += size;
}

void payload_peek(char *scratch, const char *from, size_t size, uint64_t *peeked)
{
	if (size == 0)
		return;
	memcpy(scratch, from, size);
	*peeked += size;
}

uint64_t copies_sum(const struct copies *copies)
{
	uint64_t sum = 0;
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		sum += copies->bytes[reason];
	return sum;
}

void bytes_store(char *to, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(to, bytes, size);
}
