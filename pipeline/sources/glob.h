/* Globs: patterns for paths, matched component by component.
 *
 *     *  ?  [a-z]    within one name; a leading dot must be written (unless `hidden`)
 *     **             any number of directories, also none
 *     {a,b}          alternatives: glob_expand() makes them patterns of their own
 *     \x             x itself
 *
 * "." and empty components mean nothing ("./a//b" is "a/b").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum glob_result {
	GLOB_MATCHES = 1, /* the path is one that the pattern means */
	GLOB_LEADS = 2    /* as a directory, it may have such paths below it */
};

/* True if the text is a pattern rather than a plain path. */
bool glob_is_pattern(const char *text);

/* What a path is to a pattern: any of enum glob_result, or 0. With `hidden`, wildcards match a leading dot too. */
unsigned glob_match(const char *pattern, const char *path, bool hidden);

/* The size of the pattern's fixed directory: what stands before its first component with a wildcard, or before the last
 * component. 0: the working directory. Without the slash behind it, unless that is the root. */
size_t glob_fixed_directory(const char *pattern);

/* The first pair of braces with a comma in it, as `alternatives` patterns, allocated, in one list that ends with NULL.
 * NULL where the pattern has none, or without memory (`errno` is ENOMEM, otherwise 0). */
char **glob_expand(const char *pattern);
