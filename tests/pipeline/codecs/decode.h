/* Reading frames back, for the tests of codecs and of compress. */
#pragma once

#include <stddef.h>

/* Decodes `frame`, which must be exactly one whole frame of the codec ("zstd", "gzip", "lz4"), and checks its checksum.
 * The size of its content; SIZE_MAX if it is not one, or its content is more than `room`. */
size_t decode_frame(const char *codec, const char *frame, size_t size, char *content, size_t room);
