/* Framings: where records end, and what of them is not content.
 *
 * split decides once where records end; whoever walks a run later (filter, a joining stage, a sink that must resend
 * from a record's start) asks the framing that the edge carries. A run begins at a record's start, or continues the
 * record of the views before it.
 *
 *   delimited   abc⏎                a delimiter ends it
 *   length      00 00 00 03 abc     its size, in 1, 2, 4 or 8 bytes, is before it
 *   varint      03 abc              the same as LEB128 (protobuf)
 *   octets      3 abc  or  <4>abc⏎  RFC 6587: counted if it begins with a digit, else a line
 *   netstring   3:abc,
 *   fixed       abc                 all are of one size
 *   csv         a,"b⏎c"⏎            RFC 4180: a line's end within quotes does not end it
 *   start       E: x⏎  at y⏎        lines; only split knows where the next begins, so each stands APART (view.h)
 *   none        abc                 behind join: borders are gone, so each stands APART
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framing_kind {
	FRAMING_DELIMITED,
	FRAMING_LENGTH,
	FRAMING_VARINT,
	FRAMING_OCTETS,
	FRAMING_NETSTRING,
	FRAMING_FIXED,
	FRAMING_CSV,
	FRAMING_START,
	FRAMING_NONE
};

/* The largest size that a prefix may tell: what is beyond is malformed. */
#define FRAMING_MOST 0x7fffffffu

struct framing {
	enum framing_kind kind;
	const char *delimiter;   /* what a bare record lacks */
	uint32_t delimiter_size; /* delimited: at least 1; 0 where a record is never bare */
	bool self_overlapping; /* a proper prefix of the delimiter is its suffix ("aa", "abab"): only a walk from a
	                            record's start finds its borders */
	bool newline;                 /* the delimiter is LF: records are lines */
	bool crlf;                    /* a CR before the LF is not content */
	uint32_t size;                /* length: bytes of the prefix; fixed: of the record */
	bool little, includes_header; /* length */
};

/* A delimiter's framing; the bytes stay the caller's. */
struct framing framing_delimited(const char *delimiter, uint32_t size, bool crlf);

/* Any other kind's; `crlf` is for those whose records may be lines. */
struct framing framing_of_kind(enum framing_kind kind, bool crlf);

/* True if the borders are the same. NULL is like nothing but NULL. */
bool framing_same(const struct framing *a, const struct framing *b);

/* True if every whole record ends with the delimiter. */
bool framing_ends_in_delimiter(const struct framing *framing);

/* The most bytes of a record that are not content. */
uint32_t framing_overhead(const struct framing *framing);

/* The size of the first record in `data`, its delimiter included; 0 if none ends there. */
size_t framing_first(const struct framing *framing, const char *data, size_t size);

/* The size up to the end of the last record that ends in `data`, which begins at a record's start; 0 if none does. */
size_t framing_last(const struct framing *framing, const char *data, size_t size);

/* How many records end in `data`, which begins at a record's start. */
uint32_t framing_count(const struct framing *framing, const char *data, size_t size);

/* Where the record starts that the byte `at` of `data` is in; `data` begins at a record's start. */
size_t framing_start(const struct framing *framing, const char *data, size_t at);

/* Where in a record its content lies: without its delimiter (if it is not bare), its prefix, nor the CR of `crlf`. */
struct content {
	size_t offset, size;
};
struct content framing_content(
	const struct framing *framing, const char *record, size_t size, bool bare);
