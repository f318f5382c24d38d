/* The sieve: what a run is searched for, so that most records need not be looked at.
 *
 * It is necessary for the whole condition: in every record that satisfies it, something of the sieve is found. Of the
 * children of `all` the most selective is enough; of `any` all are needed; `not` gives none.
 */
#pragma once

#include "pipeline/search/term.h"

struct sieve {
	const struct literal *literal; /* one literal: memmem finds it */
	struct scanner
		*scanner; /* else: many, or patterns; NULL with no literal: there is no sieve */
	bool borrowed;    /* the scanner is a term's own */
	bool patterns;    /* some of them are */
	size_t count;     /* what is looked for */
};

/* Chooses and compiles. False only without memory. */
bool sieve_open(struct sieve *sieve, struct term *term, const struct framing *framing);

/* A zeroed sieve is allowed. */
void sieve_close(struct sieve *sieve);
