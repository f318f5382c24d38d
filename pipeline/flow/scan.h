/* Scans: where a record ends, told byte by byte or in pieces of any size.
 *
 * For framings that are no delimiter's: a prefix, a count, quotes. The state is all that must be remembered of the bytes
 * that came, so that a record may be cut anywhere, in its prefix too. A zeroed state is at a record's start.
 */
#pragma once

#include "pipeline/flow/framing.h"

enum scan_result {
	SCAN_GOES_ON, /* all bytes are of the record, whose end is not among them */
	SCAN_ENDS,    /* it ends behind the bytes used */
	SCAN_TOO_LONG, /* its content is more than the limit; go on without a limit to find its end */
	SCAN_MALFORMED /* where the next record begins cannot be known */
};

enum scan_phase { SCAN_AT_START, SCAN_IN_PREFIX, SCAN_IN_SIGN, SCAN_IN_BODY, SCAN_IN_LINE };

struct scan {
	uint64_t
		count; /* in a prefix: what it tells so far; in a body: bytes to come; in a line: bytes so far */
	uint8_t phase;  /* enum scan_phase */
	uint8_t prefix; /* bytes of the prefix so far */
	bool quoted;    /* csv: within quotes */
};

#define SCAN_NO_LIMIT UINT64_MAX

/* Reads on in a record, at most `size` bytes; `used` gets how many are its own. `limit` is for its content. */
enum scan_result scan_record(const struct framing *framing, struct scan *scan, uint64_t limit,
	const char *data, size_t size, size_t *used);

/* True if what came so far may stand as a record whose delimiter is missing: a line, not within quotes. */
static inline bool scan_may_be_bare(const struct scan *scan)
{
	return scan->phase == SCAN_IN_LINE && !scan->quoted;
}
