/* Sequences: strings of byte classes, looked for all at once.
 *
 *     5\d\d ms    `5`, a digit, a digit, ` `, `m`, `s`
 *
 * Of each sequence up to four classes are looked for that are rare in what is expected (slices.h); where one sequence has
 * rare plain bytes these are (finder.h). Where they are, the other classes are compared.
 */
#pragma once

#include "pipeline/search/byte_class.h"
#include "pipeline/search/literal.h"

enum { SEQUENCES_MOST = 64 };

struct sequence {
	const struct byte_class *classes;
	size_t size;            /* at least 1 */
	double share;           /* of places where it is expected to be; 0 to 1 */
	struct literal literal; /* its rarest plain bytes, all of it if `plain`; size 0: none */
	size_t literal_at;
	bool plain;
};

struct sequence_set;

/* The sequences' classes and bytes stay the caller's; 1 to SEQUENCES_MOST. NULL without memory. */
struct sequence_set *sequence_set_create(const struct sequence *sequences, size_t count);

/* NULL is allowed. */
void sequence_set_destroy(struct sequence_set *set);

/* The memory that it takes. */
size_t sequence_set_cost(const struct sequence_set *set);

/* An occurrence of one of them in `data`; of two that do not overlap the first. NULL if there is none. `length` gets
 * the sequence's size. */
const char *sequence_set_find(
	const struct sequence_set *set, const char *data, size_t size, size_t *length);
