/* Framings: where records end, and what of them is not content.
 *
 * split decides once where records end; whoever walks a run later (filter, a joining stage, a sink that must resend
 * from a record's start) asks the framing that the edge carries. A run begins at a record's start, or continues the
 * record of the views before it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct framing {
	const char *delimiter;
	uint32_t delimiter_size; /* at least 1 */
	bool self_overlapping; /* a proper prefix of the delimiter is its suffix ("aa", "abab"): only a walk from a
	                            record's start finds its borders */
	bool newline; /* the delimiter is LF: records are lines */
	bool crlf;    /* a CR before the LF is not content */
};

/* A delimiter's framing; the bytes stay the caller's. */
struct framing framing_delimited(const char *delimiter, uint32_t size, bool crlf);

/* The size of the first record in `data`, its delimiter included; 0 if none ends there. */
size_t framing_first(const struct framing *framing, const char *data, size_t size);

/* The size up to the end of the last record that ends in `data`, which begins at a record's start; 0 if none does. */
size_t framing_last(const struct framing *framing, const char *data, size_t size);

/* How many records end in `data`, which begins at a record's start. */
uint32_t framing_count(const struct framing *framing, const char *data, size_t size);

/* Where the record starts that the byte `at` of `data` is in; `data` begins at a record's start. */
size_t framing_start(const struct framing *framing, const char *data, size_t at);

/* The size of a record's content: without its delimiter (if it is not bare), nor the CR of `crlf`. */
size_t framing_content(const struct framing *framing, const char *record, size_t size, bool bare);
