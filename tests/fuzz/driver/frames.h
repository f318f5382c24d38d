/* Frames for the decoders' targets: made of plain bytes by the codecs' own libraries and then damaged, as a recipe says; and
 * what those libraries, called byte by byte, make of any bytes.
 *
 * A recipe is eight bytes of a fuzzer's input:
 *
 *     byte 0      how many frames, and whether the content is repeated; 0: the bytes are taken as they are
 *     byte 1      the frames' codecs, two bits each          byte 2   their options
 *     byte 3      the damage     bytes 4, 5   its place      byte 6   what to, or how much of it
 *     byte 7      bytes between flushes: the size of blocks
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMES_RECIPE = 8 };

enum frame_kind { FRAME_ZSTD, FRAME_GZIP, FRAME_LZ4, FRAME_SKIPPABLE, FRAME_KINDS };

struct frames {
	char *data; /* lasts until the next are made */
	size_t size;
};

struct frames frames_make(const uint8_t *recipe, const void *content, size_t size);

/* What a library says of the first frame in some bytes. */
enum verdict {
	FRAME_GOOD,
	FRAME_BAD,
	FRAME_OPEN, /* more bytes are wanted */
	FRAME_LARGE /* more than `room` comes out */
};

struct reference {
	enum verdict verdict;
	size_t used; /* FRAME_GOOD: the frame's size */
	size_t size; /* bytes that came out */
};

/* Decodes the first frame. Windows and blocks may be as large as the libraries allow, but zstd's at most `window`, a power
 * of two. */
struct reference frames_decode(
	enum frame_kind kind, const char *data, size_t size, size_t window, char *out, size_t room);

/* True if the first bytes are a header of lz4 with larger blocks than `window`. */
bool frames_large_block(const char *data, size_t size, size_t window);
