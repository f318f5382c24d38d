/* Counting: how many bytes are the one that is asked for. This is how the records of a run are counted whose delimiter
 * is one byte, so it is done for nearly every byte that there is. */
#pragma once

#include "pipeline/flow/mask.h"

size_t count_byte(const char *data, size_t size, char byte);

/* The same with given instructions, which the processor must have. */
size_t count_byte_by(enum mask_set set, const char *data, size_t size, char byte);
