/* Codecs: turn what they are fed, piece by piece, into frames that are complete in themselves.
 *
 * A context is made once and used for one frame after the other: begin, feed as often as needed, finish. The frame lies
 * in memory that the caller gives: bound(most) bytes of it, if at most `most` bytes are fed, so that it always has room.
 * Fed bytes are read at once: a codec keeps no pointer to them. Nothing is allocated after create(). That a codec fails
 * within these bounds is a bug.
 *
 *     create ─▶ ( begin ─▶ feed … feed ─▶ finish ) … ─▶ destroy
 */
#pragma once

#include "pipeline/flow/copy.h"

#include <stdint.h>

struct codec {
	const char *name;
	const char *
		copies_why; /* what it copies on its side of the library, for explain; "" if nothing */

	/* The most bytes that a frame of `most` bytes of input comes to, however it is fed. */
	size_t (*bound)(size_t most);

	/* The memory that create() takes. */
	size_t (*cost)(unsigned level, size_t usual);

	/* A context for frames of, usually, `usual` bytes of input; larger ones are allowed. NULL without memory. `level`
	 * must be one of the codec's. */
	void *(*create)(unsigned level, size_t usual);

	/* NULL is allowed; so is a context in the middle of a frame. */
	void (*destroy)(void *context);

	/* Starts a frame at `to`. */
	void (*begin)(void *context, char *to, size_t room);

	/* Adds to the frame. What is copied on the way into a staging block is counted in `copies`; NULL: this is all of
	 * the frame, and nothing is copied. */
	void (*feed)(void *context, const char *data, size_t size, struct copies *copies);

	/* Ends the frame. Its size. */
	size_t (*finish)(void *context);
};

extern const struct codec codec_zstd;    /* levels 1 to 19 */
extern const struct codec codec_gzip;    /* isa-l: levels 1 to 3 */
extern const struct codec codec_deflate; /* zlib, in gzip's format: levels 1 to 9 */
extern const struct codec codec_lz4;     /* levels 1 to 12 */
