/* What split must make of a stream that comes to its end, found out without regard to pieces, buffers or speed: the bytes are
 * all there, and each record is looked for from its start. What comes of it is what `join` with `length` writes. */
#pragma once

#include "pipeline/flow/framing.h"
#include "tests/support/bench.h"

enum naive_too_long { NAIVE_TRUNCATE, NAIVE_DROP, NAIVE_SPLIT };
enum naive_unterminated { NAIVE_KEEP, NAIVE_COMPLETE, NAIVE_OMIT };

struct naive {
	struct framing framing;
	uint64_t limit;
	enum naive_too_long too_long;
	enum naive_unterminated unterminated;

	char *out; /* each content behind four bytes of its size; lasts until the next split */
	size_t size;
	uint64_t dropped[DROP_REASONS];
};

/* By a delimiter. */
void naive_delimited(struct naive *naive, const char *data, size_t size);

/* By prefixes, sizes or quotes; what is too long is left out. */
void naive_scanned(struct naive *naive, const char *data, size_t size);

/* Ends the process if that is not what came of the bench, whose last stage is such a `join`. */
void naive_compare(const struct naive *naive, const struct bench *bench);
