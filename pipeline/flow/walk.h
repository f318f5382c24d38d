/* Walks: how many records end in a stretch of memory that begins at a record's start, and where the last one ends.
 *
 * One tight loop for each kind of framing: no state, no call a record. What is rare is left to the scan (scan.h), which
 * is asked for one record and knows every case: a prefix that is cut off or malformed, a record beyond the limit.
 */
#pragma once

#include "pipeline/flow/framing.h"
#include "pipeline/flow/mask.h"

struct walk {
	size_t end; /* behind the last record; 0: none ends */
	uint32_t records;
};

/* Up to the first record that does not end in `data`, is malformed, or has more content than `limit`. Not for framings
 * whose records stand apart. A delimiter's records are not limited. */
struct walk walk_records(
	const struct framing *framing, const char *data, size_t size, uint64_t limit);

/* The same of a delimiter, or of csv without a limit, with given instructions, which the processor must have. */
struct walk walk_delimiters(
	enum mask_set set, const struct framing *framing, const char *data, size_t size);
struct walk walk_quoted(enum mask_set set, const char *data, size_t size);
