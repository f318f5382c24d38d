/* Slices: where one of several short strings of byte classes may be, a register of places at a time.
 *
 * A slice is one to four classes of bytes, one behind the other; all slices of a search are of one length. They are laid
 * into buckets, eight or sixteen. For each of its bytes two tables of sixteen say which buckets a place may belong to: by
 * the upper half of the byte that is there, and by the lower half. What all tables agree upon is a candidate:
 *
 *     slices  "stat" "ERR" + any case of "o"                 the place of `s`:  s  t  a  t
 *     upper   of byte 0:  7 → bucket 1,  4 → bucket 2                            1  1  1  1  → bucket 1
 *     lower   of byte 0:  3 → bucket 1,  5 → bucket 2                            1  1  1  1
 *
 * Every place where a slice is is a candidate; some others are too, which whoever asks must tell apart.
 */
#pragma once

#include "pipeline/search/byte_class.h"

#include <stddef.h>

enum { SLICES_MOST_BYTES = 4, SLICES_MOST_BUCKETS = 16 };

struct slices;

/* Tells which of the candidates are wanted: `mask` has one bit for each, that of the place `at` + i is i << shift. The
 * first one's result, whatever it is; NULL: go on. */
typedef const char *slices_check(const void *context, const char *at, uint64_t mask, int shift);

typedef const char *slices_search(const struct slices *slices, const char *data, size_t places,
	slices_check *check, const void *context);

/* A zeroed one with `bytes` set has no slice yet. */
struct slices {
	unsigned bytes; /* of each slice: 1 to 4 */
	slices_search *search;
	unsigned char low[2][SLICES_MOST_BYTES][16], high[2][SLICES_MOST_BYTES][16];
};

/* True if this processor looks at a register of places at a time, not at one. */
bool slices_are_fast(void);

/* Lays a slice into a bucket: 0 to 15; but if none is beyond 7, the search is faster. */
void slices_add(struct slices *slices, unsigned bucket, const struct byte_class *slice);

/* Empties a bucket. */
void slices_clear(struct slices *slices, unsigned bucket);

/* The part of all places that is expected to be a candidate for the bucket. */
double slices_share(const struct slices *slices, unsigned bucket, const double shares[256]);

/* All slices are in. */
void slices_settle(struct slices *slices);

/* Looks at `places` places from `data` on, behind the last of which are all bytes of a slice. */
const char *slices_find(const struct slices *slices, const char *data, size_t places,
	slices_check *check, const void *context);
