/* A place in the text of a JSON document that goes from its start to its end, and the faults that are found on the way. */
#pragma once

#include "config/document.h"

struct scanner {
	const struct document *document;
	struct faults *faults;
	const char *text;
	size_t size, at;
	unsigned depth;
	struct value *inside;  /* the innermost object or list; NULL outside of the root */
	struct value *current; /* what faults point at */
};

/* The byte at the place; 0 behind the end (a NUL in the text is a fault in any case). */
char scanner_peek(const struct scanner *scanner);
bool scanner_at_end(const struct scanner *scanner);
void scanner_skip_space(struct scanner *scanner);

/* True if these bytes are at the place. */
bool scanner_starts(const struct scanner *scanner, const char *bytes);

/* Where a run of letters, digits and what numbers are made of ends. */
size_t scanner_word_end(const struct scanner *scanner, size_t from);

/* A part of the text in quotes, for faults. */
const char *scanner_quote(const struct scanner *scanner, size_t from, size_t end);

/* A fault at a part of the text that need not be a value; the pointer is that of the current one. Always returns
 * false, as the others do. */
__attribute__((format(printf, 5, 6))) bool scanner_fault(const struct scanner *scanner, size_t from,
	size_t end, const char *remedy, const char *format, ...);

/* The text is over, inside of something: said behind its last character. */
bool scanner_fault_end(const struct scanner *scanner);

/* The byte at the place begins nothing in JSON. `due` says what could be there. What people write by habit is told
 * apart. */
bool scanner_fault_byte(const struct scanner *scanner, const char *due, const char *remedy);
