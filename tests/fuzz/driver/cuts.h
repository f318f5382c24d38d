/* Cuts: the same bytes through the same stages must come out the same, whole or cut, whatever the buffers and the sink.
 *
 * Four bytes of a fuzzer's input choose how the bytes come:
 *
 *     byte 0   the buffers' size
 *     byte 1   the chunks: their size, or from 128 on the seed of random ones
 *     byte 2   bytes that the sink takes a call; 0: random, 255: all
 *     byte 3   the streams: CUTS_STREAMS is how many more than one, the flags below, and the size of their turns
 */
#pragma once

#include "tests/support/bench.h"

enum { CUTS_HEAD = 4, CUTS_MOST = 2048 };

enum {
	CUTS_STREAMS = 3,
	CUTS_BROKEN = 4,   /* the last stream to end is broken off */
	CUTS_ENDINGS = 8,  /* a stream ends with each turn, and begins anew */
	CUTS_SOCKETS = 16, /* the source is one of connections */
	CUTS_TURNS = 32    /* from this bit on: the size of turns */
};

/* One of a list, by a byte. */
#define CHOICE(list, byte) ((list)[(byte) % (sizeof(list) / sizeof(*(list)))])

struct cuts {
	const char *stages; /* the JSON of the list */
	const char *memory; /* NULL: 1MiB */
	const uint8_t *head;
	const void *data;
	size_t size;
};

/* True if all bytes are of one stream, which comes to its end. */
bool cuts_are_plain(const struct cuts *cuts);

/* Runs the stages over the bytes, in one chunk a turn and with buffers that hold all. The caller frees the bench. */
struct bench cuts_whole(const struct cuts *cuts);

/* The same in chunks, with other buffers and another sink. The caller frees the bench. */
struct bench cuts_cut(const struct cuts *cuts);

/* Ends the process if anything is not as in `whole`. */
void cuts_compare(const struct bench *cut, const struct bench *whole);

/* All of it, one after the other; gives what ran whole. */
struct bench cuts_check(const struct cuts *cuts);
