/* Prefixes: what stands before a record's content to say how long it is. */
#pragma once

#include "pipeline/flow/framing.h"

enum { PREFIX_MOST = 16 /* bytes */ };

/* True if the framing tells a record's size before it. */
bool prefix_needed(const struct framing *framing);

/* True if a record of so much content can be told. */
bool prefix_can_tell(const struct framing *framing, uint64_t content);

/* Writes the prefix of a record with `content` bytes, at most PREFIX_MOST bytes; gives its size. */
uint32_t prefix_write(const struct framing *framing, uint64_t content, char *to);
