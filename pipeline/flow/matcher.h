/* Matchers: finding a delimiter whose bytes arrive in several pieces.
 *
 * What a stream ends with may be the beginning of its delimiter. How many bytes of it is all that has to be remembered
 * (Knuth, Morris and Pratt, SIAM J. Comput. 6, 1977); where the piece itself is searched, that is left to framing.
 */
#pragma once

#include "pipeline/flow/framing.h"

enum { MATCHER_MOST = 256 /* bytes of a delimiter */ };

struct matcher {
	const struct framing *framing;
	uint32_t border
		[MATCHER_MOST]; /* of each prefix of the delimiter: its longest proper border */
};

/* Makes a matcher for a delimiter of at most MATCHER_MOST bytes. The framing stays the caller's. */
void matcher_open(struct matcher *matcher, const struct framing *framing);

/* The end of the first delimiter in `data`, where the stream already ends with `matched` bytes of one; 0: none ends. */
size_t matcher_first(
	const struct matcher *matcher, uint32_t matched, const char *data, size_t size);

/* How many bytes of a delimiter the stream ends with behind `data`, in which none ends. */
uint32_t matcher_behind(
	const struct matcher *matcher, uint32_t matched, const char *data, size_t size);
