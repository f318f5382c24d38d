/* What the files of decompress share.
 *
 *     decompress.c          options, planning, and the way of the views
 *     decompress_stream.c   what becomes of the bytes of a stream
 *     decompress_slots.c    contexts, lent to streams that are within a frame
 *     decompress_magic.c    the first bytes of frames
 */
#pragma once

#include "pipeline/codecs/decoder.h"
#include "pipeline/node.h"

enum { MAGIC_SIZE = 4, MAGICS = 3 + 16 };

enum codec { AUTO, ZSTD, GZIP, LZ4, CODECS, SKIPPABLE };

enum mode {
	TELL,    /* what comes next is not known yet */
	FRAME,   /* within a frame */
	PLAIN,   /* not compressed */
	ZEROS,   /* behind a gzip member, as on a tape: allowed up to the end */
	DISCARD, /* damaged */
};

/* A context's memory. */
struct slot {
	const struct decoder *decoder; /* that it was last made for */
	void *memory, *context;
	bool lent;
};

struct stream {
	uint64_t in, out; /* bytes, of all its frames */
	struct slot *slot;
	enum mode mode;
	uint8_t magic, matched; /* bytes of a magic that it stands behind */
	bool begun, was_gzip;   /* a frame came before; it was a gzip member */
};

struct decompress {
	unsigned codec;
	uint64_t max_ratio, max_window;

	uint64_t window; /* max_window, or what is usual */
	struct slot *slots;
	uint32_t slot_count;
	struct stream *streams;
	uint32_t stream_count;
	struct buffer *buffer; /* what comes out next goes behind what is published */
	uint32_t at;           /* bytes of the first view that are done with */
	struct log_gate gate;
};

/* The first bytes of a frame. */
struct magic {
	char bytes[MAGIC_SIZE];
	uint8_t size;
	uint8_t codec;
};

extern const struct magic decompress_magics[MAGICS];

/* A magic that goes on with `byte` behind the first `matched` bytes of another; MAGICS: none. */
uint8_t decompress_magic(enum codec codec, uint8_t magic, uint8_t matched, char byte);

/* The memory of a context. */
size_t decompress_context_cost(const struct decompress *decompress);

/* Makes the contexts' memory, which is touched as far as it is used. False without memory. */
bool decompress_slots_open(struct decompress *decompress);

/* A zeroed state is allowed. */
void decompress_slots_close(struct decompress *decompress);

/* A context to begin a frame with; NULL if every one is lent. */
struct slot *decompress_slot_lend(const struct decompress *decompress, enum codec codec);

/* Takes back what is lent to the stream, if anything is. */
void decompress_slot_return(struct stream *stream);

/* Does what can be done with the view, from `decompress->at` on. False: for more, room is needed. */
bool decompress_consume(
	struct node *node, struct stream *stream, const struct view *view, struct batch *out);

/* The stream is damaged: that is counted and said, and its rest is discarded. */
void decompress_damage(struct node *node, struct stream *stream, const char *why);

/* The part of a magic that turned out to be none. False: out is full. */
bool decompress_put_magic(struct stream *stream, uint32_t number, struct batch *out);
