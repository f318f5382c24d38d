/* Decoders: turn frames back into what they were made of, piece by piece.
 *
 * A context lies in memory that the caller gives and is used for one frame after the other; nothing is allocated, and
 * a context needs no end. What comes out is written where the caller says.
 *
 *     make ─▶ ( begin ─▶ decode … decode ─▶ DECODED_FRAME ) …
 */
#pragma once

#include <stddef.h>

enum decoded {
	DECODED_SOME,  /* the input or the room for output is exhausted */
	DECODED_FRAME, /* the frame is complete, and all of it came out */
	DECODED_BAD    /* it is damaged or refused; what came out before is good */
};

/* Input and room for output; decode() moves both on. */
struct decoding {
	const char *in;
	size_t in_size;
	char *out;
	size_t out_size;
	const char *why; /* DECODED_BAD: what is wrong; static */
};

struct decoder {
	const char *name;

	/* The memory that a context takes which accepts windows of up to `max_window` bytes (at least 64 KiB). */
	size_t (*cost)(size_t max_window);

	/* A context in cost() bytes, aligned as malloc() does. What lay there before is forgotten. */
	void *(*make)(void *memory, size_t max_window);

	/* A frame begins; one that was not finished is forgotten. */
	void (*begin)(void *context);

	/* Decodes until the input, the room or the frame is at its end. Room that is left says that nothing more can come
	 * of the input so far. */
	enum decoded (*decode)(void *context, struct decoding *at);
};

extern const struct decoder decoder_zstd;
extern const struct decoder decoder_gzip;
extern const struct decoder decoder_lz4;
