/* Decodes gzip members (RFC 1952), by isa-l, which is several times faster than zlib and allocates nothing.
 *
 * isa-l decodes ahead of the room that there is. What it has got when it meets damage is good, and comes out first. But
 * where a copy refers to what is not there, it may have counted the copy's bytes, which nobody wrote.
 */

#include "pipeline/codecs/decoder.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RESERVED_FLAGS = 0xe0, FLAGS_AT = 3, COPY_MOST = 258 };

struct inflate {
	struct inflate_state state;
	struct isal_gzip_header header;
	bool in_header;
	uint32_t seen;   /* bytes of the header, up to its flags */
	const char *why; /* what is wrong; told when all before it came out */
};

static size_t inflate_cost(size_t max_window)
{
	(void)max_window;
	return sizeof(struct inflate);
}

static void *inflate_make(void *memory, size_t max_window)
{
	(void)max_window;
	struct inflate *inflate = memory;
	isal_inflate_init(&inflate->state);
	return inflate;
}

/* isa-l looks up in these what a damaged block has no code for: it shall not find what another stream has left there. */
static void clear_tables(struct inflate_state *state)
{
	memset(&state->lit_huff_code, 0, sizeof(state->lit_huff_code));
	memset(&state->dist_huff_code, 0, sizeof(state->dist_huff_code));
}

/* The header is read by itself: only so may it come in pieces. */
static void inflate_begin(void *context)
{
	struct inflate *inflate = context;
	clear_tables(&inflate->state);
	isal_inflate_reset(&inflate->state);
	inflate->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	isal_gzip_header_init(&inflate->header);
	inflate->in_header = true;
	inflate->seen = 0;
	inflate->why = NULL;
}

static const char *reason(int error)
{
	switch (error) {
	case ISAL_INCORRECT_CHECKSUM:
		return "its checksum or length is wrong";
	case ISAL_INVALID_WRAPPER:
	case ISAL_UNSUPPORTED_METHOD:
		return "its header is wrong";
	case ISAL_INVALID_LOOKBACK:
		return "it refers to what is not there";
	default:
		return "a block of it is wrong";
	}
}

/* isa-l reads over the flags that RFC 1952 reserves. */
static bool has_reserved_flags(struct inflate *inflate, const struct decoding *at)
{
	uint32_t before = inflate->seen;
	if (before > FLAGS_AT)
		return false;
	inflate->seen += at->in_size < FLAGS_AT + 1 ? (uint32_t)at->in_size : FLAGS_AT + 1;
	return inflate->seen > FLAGS_AT && ((uint8_t)at->in[FLAGS_AT - before] & RESERVED_FLAGS);
}

/* Where input is damaged, isa-l gives back what it has read ahead, and that may have come with calls before. */
static void advance(struct inflate *inflate, struct decoding *at, size_t in, size_t out)
{
	size_t left = inflate->state.avail_in, made = out - inflate->state.avail_out;
	size_t taken = left < in ? in - left : 0;
	at->in += taken;
	at->in_size -= taken;
	at->out += made;
	at->out_size -= made;
}

static uint32_t bounded(size_t size)
{
	return size < INT32_MAX ? (uint32_t)size : INT32_MAX;
}

static int read_header(struct inflate *inflate)
{
	int result = isal_read_gzip_header(&inflate->state, &inflate->header);
	if (result != ISAL_DECOMP_OK)
		return result;
	inflate->in_header = false;
	return isal_inflate(&inflate->state);
}

/* Nothing more is decoded, nor compared with a checksum: what was is given out. */
static void stop(struct inflate *inflate, const char *why)
{
	inflate->why = why;
	inflate->state.block_state = ISAL_BLOCK_INPUT_DONE;
	inflate->state.crc_flag = ISAL_DEFLATE;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t due(const struct inflate_state *state)
{
	return (size_t)(state->tmp_out_valid - state->tmp_out_processed);
}

/* Leaves out the last bytes, as many as a copy may have: of what is due, and of the `made` that were just written. */
static void take_back(struct inflate_state *state, struct decoding *at, size_t made)
{
	size_t ahead = smaller(due(state), COPY_MOST);
	size_t written = smaller(made, COPY_MOST - ahead);
	state->tmp_out_valid -= (int32_t)ahead;
	at->out -= written;
	at->out_size += written;
}

static int decode_some(struct inflate *inflate, struct decoding *at)
{
	struct inflate_state *state = &inflate->state;
	uint32_t in = inflate->why ? 0 : bounded(at->in_size), out = bounded(at->out_size);
	/* isa-l only reads what next_in points at. */
	state->next_in = (uint8_t *)(uintptr_t)at->in;
	state->avail_in = in;
	state->next_out = (uint8_t *)at->out;
	state->avail_out = out;
	int result = inflate->in_header ? read_header(inflate) : isal_inflate(state);
	advance(inflate, at, in, out);
	if (result == ISAL_INVALID_LOOKBACK)
		take_back(state, at, out - state->avail_out);
	return result;
}

static enum decoded inflate_decode(void *context, struct decoding *at)
{
	struct inflate *inflate = context;
	const struct inflate_state *state = &inflate->state;
	int result = ISAL_INVALID_WRAPPER;
	if (!inflate->in_header || !has_reserved_flags(inflate, at))
		result = decode_some(inflate, at);
	if (result < 0)
		stop(inflate, reason(result));
	if (!inflate->why)
		return state->block_state == ISAL_BLOCK_FINISH ? DECODED_FRAME : DECODED_SOME;
	at->why = inflate->why;
	return due(state) > 0 ? DECODED_SOME : DECODED_BAD;
}

const struct decoder decoder_gzip = {
	.name = "gzip",
	.cost = inflate_cost,
	.make = inflate_make,
	.begin = inflate_begin,
	.decode = inflate_decode,
};
