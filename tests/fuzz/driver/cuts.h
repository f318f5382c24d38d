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

/* True if all bytes are of one stream, which comes to its end. */
bool cuts_are_plain(const uint8_t *head);

/* Runs the stages over the bytes, in one chunk a turn and with buffers that hold all. The caller frees the bench. */
struct bench cuts_whole(const char *stages, const uint8_t *head, const void *data, size_t size);

/* The same in chunks, with other buffers and another sink: ends the process if anything is not as in `whole`. */
void cuts_compare(const struct bench *whole, const uint8_t *head, const void *data, size_t size);

/* Both, one after the other. */
void cuts_check(const char *stages, const uint8_t *head, const void *data, size_t size);
