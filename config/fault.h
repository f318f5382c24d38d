/* Faults: what is wrong with a configuration, where it is, and what to do about it.
 *
 * A run collects every fault of a file; they are sorted by place when they are read out. What is wrong while starting
 * (a port in use) is a fault without a place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value;

struct fault {
	const char *file;      /* NULL: no place */
	uint32_t line, column; /* from 1; the column counts bytes */
	uint32_t width;        /* bytes that the caret underlines */
	const char *pointer;   /* JSON pointer (RFC 6901) */
	const char *source;    /* the line without its end; if it is long, what is near the place */
	uint32_t source_column; /* of its first byte: 1 unless the line is cut */
	bool source_cut;        /* more of the line follows */
	const char *message;    /* one sentence, no capital, no full stop, nothing but text */
	const char *remedy;     /* what to write instead; NULL if there is nothing to say */
	uint64_t order;         /* the place as an offset, for sorting */
	bool warning;           /* does not refuse the configuration */
};

struct faults {
	struct fault *items;
	size_t count, room;
	size_t errors; /* those that are not warnings */
};

void faults_close(struct faults *faults);

/* Adds a fault at a value (NULL: no place). `remedy` may be NULL. Both are copied. Always returns false. */
__attribute__((format(printf, 4, 5))) bool fault_at(struct faults *faults,
	const struct value *value, const char *remedy, const char *message, ...);

/* The same at the value's key instead of its value: unknown and duplicate keys. */
__attribute__((format(printf, 4, 5))) bool fault_at_key(struct faults *faults,
	const struct value *value, const char *remedy, const char *message, ...);

/* The same, but does not refuse the configuration. Always returns true. */
__attribute__((format(printf, 4, 5))) bool warning_at(struct faults *faults,
	const struct value *value, const char *remedy, const char *message, ...);

/* Sorts by file and place; equal places keep their order; what has no place comes last. */
void faults_sort(struct faults *faults);

/* A fault as a person reads it: `file:line:column: message`, pointer, source line, caret, remedy; ends in a newline.
 * Allocated. */
char *fault_text(const struct fault *fault);

/* All as a JSON array of objects {file, line, column, pointer, message, remedy, warning}. Allocated. */
char *faults_json(const struct faults *faults);
