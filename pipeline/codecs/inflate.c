/* Decodes gzip members (RFC 1952), by isa-l, which is several times faster than zlib and allocates nothing. */

#include "pipeline/codecs/decoder.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RESERVED_FLAGS = 0xe0, FLAGS_AT = 3, MOST_A_CALL = 65536 };

struct inflate {
	struct inflate_state state;
	struct isal_gzip_header header;
	bool in_header;
	uint32_t seen; /* bytes of the header, up to its flags */
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

/* What is damaged may make isa-l look up a code that there is not, and count a repetition as written that it then finds to
 * refer to nothing: it shall come upon nothing that another stream has left. */
static void forget_others(struct inflate_state *state)
{
	memset(&state->lit_huff_code, 0, sizeof(state->lit_huff_code));
	memset(&state->dist_huff_code, 0, sizeof(state->dist_huff_code));
	memset(state->tmp_out_buffer, 0, sizeof(state->tmp_out_buffer));
}

/* The header is read by itself: only so may it come in pieces. */
static void inflate_begin(void *context)
{
	struct inflate *inflate = context;
	forget_others(&inflate->state);
	isal_inflate_reset(&inflate->state);
	inflate->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	isal_gzip_header_init(&inflate->header);
	inflate->in_header = true;
	inflate->seen = 0;
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

static uint32_t smaller(size_t size, uint32_t most)
{
	return size < most ? (uint32_t)size : most;
}

static int read_header(struct inflate *inflate)
{
	int result = isal_read_gzip_header(&inflate->state, &inflate->header);
	if (result != ISAL_DECOMP_OK)
		return result;
	inflate->in_header = false;
	return isal_inflate(&inflate->state);
}

static enum decoded inflate_decode(void *context, struct decoding *at)
{
	struct inflate *inflate = context;
	struct inflate_state *state = &inflate->state;
	if (inflate->in_header && has_reserved_flags(inflate, at)) {
		at->why = reason(ISAL_INVALID_WRAPPER);
		return DECODED_BAD;
	}
	uint32_t in = smaller(at->in_size, INT32_MAX), out = smaller(at->out_size, MOST_A_CALL);
	memset(at->out, 0, out);
	/* isa-l only reads what next_in points at. */
	state->next_in = (uint8_t *)(uintptr_t)at->in;
	state->avail_in = in;
	state->next_out = (uint8_t *)at->out;
	state->avail_out = out;
	int result = inflate->in_header ? read_header(inflate) : isal_inflate(state);
	advance(inflate, at, in, out);
	if (result < 0) {
		at->why = reason(result);
		return DECODED_BAD;
	}
	return state->block_state == ISAL_BLOCK_FINISH ? DECODED_FRAME : DECODED_SOME;
}

const struct decoder decoder_gzip = {
	.name = "gzip",
	.cost = inflate_cost,
	.make = inflate_make,
	.begin = inflate_begin,
	.decode = inflate_decode,
};
