/* The sieve: what a run is searched for, so that most records need not be looked at.
 *
 * It is literals, or strings of byte classes, one of which is in every record that satisfies the condition: a test's own,
 * or those that its patterns require. Of the children of `all` the rarest is enough; of `any` all are needed; `not` gives
 * none.
 */
#pragma once

#include "pipeline/search/term.h"

struct sieve {
	size_t count;            /* of what is searched for; 0: there is no sieve */
	bool enough;             /* a record with one of them inside satisfies the condition */
	struct finder finder;    /* of the only literal, or */
	struct literal_set *set; /* of all literals, or */
	struct sequence_set *sequences; /* of strings of which some are not plain */
	struct byte_class *classes;     /* of those that are */
	bool borrowed;                  /* the set is a term's own */
};

/* Chooses and compiles. False without memory. */
bool sieve_open(struct sieve *sieve, const struct term *term);

/* A zeroed sieve is allowed. */
void sieve_close(struct sieve *sieve);

/* The memory that it takes beside the term's. */
size_t sieve_cost(const struct sieve *sieve);

/* The first of what it searches for in `data`, and its size; NULL if none is there. There must be something. */
const char *sieve_find(const struct sieve *sieve, const char *data, size_t size, size_t *length);
