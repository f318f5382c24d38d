/* What is said about an option, for `list` and the reference. */
#pragma once

#include "config/describe.h"

#include <stdio.h>

/* An option as it is listed: those of inner tables stand behind their owner, with its name before theirs. */
struct listed {
	const struct option *option;
	char name[96];  /* "retry.first" */
	bool recursive; /* its table is the one that it stands in, or one around it */
};

/* Prints the options of a table (NULL: none) and of those in it, in order; how many there are. */
size_t describe_options(
	FILE *out, const struct option *table, void (*print)(FILE *out, const struct listed *));

/* What it takes: "a size", "`newline`, `delimiter` or `nul`" (the words stand between `mark`s). To be freed. */
char *describe_takes(const struct listed *listed, const char *mark);

/* What holds without it and between which bounds: "1MiB (1B to 1GiB)", "required"; "" if there is nothing to say. To be
 * freed. */
char *describe_default(const struct option *option);

/* One node in JSON: the kind's own example, or one made from what it requires. To be freed. */
char *describe_example(const struct described *kind);
