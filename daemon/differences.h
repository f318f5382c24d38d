/* Differences between two rows of lines, as a person reads them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct line {
	const char *data;
	size_t size;
};

struct lines {
	struct line *items;
	size_t count;
};

/* The bytes as lines, each with its newline; to be freed. */
struct lines lines_of(const char *data, size_t size);

/* True if both are the same. */
bool lines_equal(const struct lines *one, const struct lines *other);

/* Prints what is missing (-) and what is there instead (+), with some of the lines around; what is no text is escaped. */
void differences_print(FILE *out, const struct lines *due, const struct lines *found);
