/* The automaton of a delimiter, run over the borders between pieces only. */

#include "pipeline/flow/matcher.h"

#include <assert.h>

void matcher_open(struct matcher *matcher, const struct framing *framing)
{
	const char *delimiter = framing->delimiter;
	uint32_t length = 0;
	assert(framing->delimiter_size <= MATCHER_MOST);
	matcher->framing = framing;
	matcher->border[0] = 0;
	for (uint32_t i = 1; i < framing->delimiter_size; i++) {
		while (length > 0 && delimiter[i] != delimiter[length])
			length = matcher->border[length - 1];
		length += delimiter[i] == delimiter[length];
		matcher->border[i] = length;
	}
}

/* How many of the delimiter's bytes end with this one. */
static uint32_t step(const struct matcher *matcher, uint32_t matched, char byte)
{
	const char *delimiter = matcher->framing->delimiter;
	while (matched > 0 && byte != delimiter[matched])
		matched = matcher->border[matched - 1];
	return matched + (byte == delimiter[matched]);
}

size_t matcher_first(const struct matcher *matcher, uint32_t matched, const char *data, size_t size)
{
	uint32_t whole = matcher->framing->delimiter_size;
	for (size_t i = 0; matched > 0 && i < size && i + 1 < whole; i++) {
		matched = step(matcher, matched, data[i]);
		if (matched == whole)
			return i + 1;
	}
	return framing_first(matcher->framing, data, size);
}

uint32_t matcher_behind(
	const struct matcher *matcher, uint32_t matched, const char *data, size_t size)
{
	uint32_t most = matcher->framing->delimiter_size - 1;
	size_t from = 0;
	if (size >= most) {
		from = size - most;
		matched = 0;
	}
	for (size_t i = from; i < size; i++)
		matched = step(matcher, matched, data[i]);
	return matched;
}
