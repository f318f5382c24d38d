/* The scanner: vectorscan over whole runs, for many literals or relaxed patterns at once.
 *
 * A hit tells where a match ends, and that the record there is worth judging: nothing more. Hits are noted a bit a
 * byte, a window of the run at a time, so that nothing depends on the order in which they are found; each window is
 * scanned once. Where hits are dense, scanning pays no more: then every record of the window is a candidate.
 *
 *     run     | record | record | record | record | record | record | …
 *     window  |------------------------------------|  ends at a record's end
 *     hits              ^    ^        ^
 */
#pragma once

#include "pipeline/flow/framing.h"
#include "pipeline/search/literal.h"

/* What to look for: an expression of relax_pattern(). */
struct expression {
	const char *text;
	bool fold;
};

struct scanner;

/* True if this processor can. */
bool scanner_available(void);

/* From now on it can't. */
void scanner_refuse_for_tests(void);

/* NULL if vectorscan refuses (too large, matches nothing empty, …) or is not available. */
struct scanner *scanner_of_literals(const struct literal *literals, size_t count);
struct scanner *scanner_of_expressions(const struct expression *expressions, size_t count);

/* NULL is allowed. */
void scanner_destroy(struct scanner *scanner);

/* The memory that it takes. */
size_t scanner_cost(const struct scanner *scanner);

/* True if something is in `data`. */
bool scanner_hits(struct scanner *scanner, const char *data, size_t size);

/* Forgets what it found: another run comes. */
void scanner_begin(struct scanner *scanner);

/* A byte of the first candidate in the records from `at`, a record's start, to `end`, a record's end; NULL if there is
 * none. What was scanned once is not scanned again until scanner_begin(). */
const char *scanner_next(
	struct scanner *scanner, const struct framing *framing, const char *at, const char *end);
