/* Decodes lz4 frames (the LZ4 frame format 1.6) and skips skippable ones, by liblz4.
 *
 * The window of a frame is its block: those of more than max_window are refused. liblz4 allocates when it meets a
 * larger block than before: it is shown the largest when the context is made. As libzstd, it does not say what a call
 * brought that ends in an error: no call gets more than one block, nor any input while output is due. A stored block
 * comes out as it comes in, so its checksum gets a call of its own: else what comes out would depend on the cuts.
 */
#define LZ4F_STATIC_LINKING_ONLY /* Allocating from given memory. */

#include "pipeline/codecs/decoder.h"

#include <assert.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	BLOCK_HEADER = 4,
	BLOCK_CHECKSUM = 4,
	LARGEST_BLOCK = 4 << 20,
	HISTORY = 128 << 10,
	CONTEXT_SIZE = 1 << 10,
	VERSION = 0x40,   /* 1, linked blocks, no checksums */
	FLAGS_AT = 4,     /* of a frame's header */
	CHECKSUMS = 0x10, /* among its flags: each block has one */
	BLOCK_AT = 5      /* of a frame's header: the byte with its blocks' size */
};

static const uint8_t magic[] = { 0x04, 0x22, 0x4d, 0x18 };

struct unlz4 {
	LZ4F_dctx *stream;
	size_t max_window;
	size_t hint;   /* the input that liblz4 asks for: a block, and the next one's header */
	size_t behind; /* of it, what is not the block: its checksum and that header */
	bool pending;  /* output may be due */
	bool skipping; /* the frame is a skippable one */
	uint32_t seen; /* bytes of the header, up to BLOCK_AT */
	size_t used, size;
	_Alignas(16) char memory[];
};

static size_t block_size(unsigned id)
{
	return (size_t)1 << (8 + 2 * id); /* 4: 64 KiB … 7: 4 MiB */
}

static unsigned largest_block(size_t max_window)
{
	unsigned id = LZ4F_max64KB;
	while (id < LZ4F_max4MB && block_size(id + 1) <= max_window)
		id++;
	return id;
}

/* The block as it came with its checksum, the block as it was with what it refers to, and liblz4's own. */
static size_t arena_size(size_t max_window)
{
	return 2 * block_size(largest_block(max_window)) + HISTORY + CONTEXT_SIZE;
}

static size_t unlz4_cost(size_t max_window)
{
	return sizeof(struct unlz4) + arena_size(max_window);
}

static void *allocate(void *owner, size_t size)
{
	struct unlz4 *unlz4 = owner;
	assert(size <= unlz4->size - unlz4->used);
	void *memory = unlz4->memory + unlz4->used;
	unlz4->used += (size + 15) / 16 * 16;
	return memory;
}

static void *allocate_zeroed(void *owner, size_t size)
{
	char *memory = allocate(owner, size);
	for (size_t i = 0; i < size; i++)
		memory[i] = 0;
	return memory;
}

static void give_back(void *owner, void *memory)
{
	(void)owner;
	(void)memory;
}

/* Shows it the header of a frame of the largest blocks, so that it takes its memory now. */
static void take_memory(struct unlz4 *unlz4)
{
	static const uint8_t checksum[] = { [4] = 0xc0, 0x77, 0x96, 0xdf };
	unsigned id = largest_block(unlz4->max_window);
	const uint8_t header[] = { magic[0], magic[1], magic[2], magic[3], VERSION,
		(uint8_t)(id << 4), checksum[id] };
	size_t size = sizeof(header), none = 0;
	size_t result = LZ4F_decompress(unlz4->stream, NULL, &none, header, &size, NULL);
	assert(!LZ4F_isError(result));
	assert(size == sizeof(header));
}

/* The context is made anew: liblz4's own reset leaves the content's size that a frame told which was not finished, and
 * takes it for the next one's. */
static void unlz4_begin(void *context)
{
	struct unlz4 *unlz4 = context;
	unlz4->used = 0;
	unlz4->stream =
		LZ4F_createDecompressionContext_advanced((LZ4F_CustomMem){ .customAlloc = allocate,
								 .customCalloc = allocate_zeroed,
								 .customFree = give_back,
								 .opaqueState = unlz4 },
			LZ4F_VERSION);
	assert(unlz4->stream);
	take_memory(unlz4);
	LZ4F_resetDecompressionContext(unlz4->stream);
	unlz4->hint = 1;
	unlz4->behind = BLOCK_HEADER;
	unlz4->pending = false;
	unlz4->skipping = false;
	unlz4->seen = 0;
}

static void *unlz4_make(void *memory, size_t max_window)
{
	struct unlz4 *unlz4 = memory;
	uintptr_t misplaced = (uintptr_t)memory % _Alignof(struct unlz4);
	assert(misplaced == 0);
	*unlz4 = (struct unlz4){ .max_window = max_window, .size = arena_size(max_window) };
	unlz4_begin(unlz4);
	return unlz4;
}

/* The reason to refuse what the header says; NULL: none so far. */
static const char *check_header(struct unlz4 *unlz4, const struct decoding *at)
{
	for (size_t i = 0; i < at->in_size && unlz4->seen <= BLOCK_AT; i++, unlz4->seen++) {
		uint8_t byte = (uint8_t)at->in[i];
		if (unlz4->seen < sizeof(magic) && byte != magic[unlz4->seen])
			unlz4->skipping = true;
		if (unlz4->seen == FLAGS_AT && byte & CHECKSUMS)
			unlz4->behind = BLOCK_CHECKSUM + BLOCK_HEADER;
		if (unlz4->seen == BLOCK_AT && !unlz4->skipping &&
			(byte >> 4 & 7) > (int)largest_block(unlz4->max_window))
			return "its blocks are larger than max_window";
	}
	return NULL;
}

/* A block without what is behind it; then its checksum; then a header. */
static size_t step_size(const struct unlz4 *unlz4, size_t left)
{
	size_t behind = unlz4->hint > unlz4->behind ? unlz4->behind : BLOCK_HEADER;
	size_t step = unlz4->hint > behind ? unlz4->hint - behind : unlz4->hint;
	if (unlz4->pending)
		return 0;
	return step < left ? step : left;
}

static enum decoded decode_step(struct unlz4 *unlz4, struct decoding *at)
{
	size_t in = step_size(unlz4, at->in_size), out = at->out_size;
	size_t result = LZ4F_decompress(unlz4->stream, at->out, &out, at->in, &in, NULL);
	if (LZ4F_isError(result)) {
		at->why = LZ4F_getErrorName(result);
		return DECODED_BAD;
	}
	at->in += in;
	at->in_size -= in;
	at->out += out;
	at->out_size -= out;
	unlz4->hint = result;
	unlz4->pending = at->out_size == 0;
	return result == 0 ? DECODED_FRAME : DECODED_SOME;
}

static enum decoded unlz4_decode(void *context, struct decoding *at)
{
	struct unlz4 *unlz4 = context;
	enum decoded decoded;
	at->why = check_header(unlz4, at);
	if (at->why)
		return DECODED_BAD;
	do
		decoded = decode_step(unlz4, at);
	while (decoded == DECODED_SOME && at->in_size > 0 && at->out_size > 0);
	return decoded;
}

const struct decoder decoder_lz4 = {
	.name = "lz4",
	.cost = unlz4_cost,
	.make = unlz4_make,
	.begin = unlz4_begin,
	.decode = unlz4_decode,
};
