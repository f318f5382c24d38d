/* File patterns: what a source was told to read and to leave out, ready to be compared with paths. */
#pragma once

#include "config/option.h"

enum { FILE_PATTERNS_MOST = 1024 };

struct file_patterns {
	char **items; /* plain paths and globs, braces expanded */
	size_t count;
	const struct strings *exclude;
};

/* Copies `paths`; `exclude` stays the caller's. False where there are too many, or no memory for them. */
bool file_patterns_open(
	struct file_patterns *patterns, const struct strings *paths, const struct strings *exclude);

/* A zeroed struct is allowed. */
void file_patterns_close(struct file_patterns *patterns);
size_t file_patterns_cost(void);

/* What the path is to the patterns: of enum glob_result. What is excluded does not match, but may lead to matches. */
unsigned file_patterns_match(const struct file_patterns *patterns, const char *path);

/* The same for one of them, whatever is excluded. */
unsigned file_patterns_match_one(const char *pattern, const char *path);

/* What stands behind the last slash. */
const char *file_patterns_last_part(const char *path);

/* True if a pattern has `**`: then only the tree itself bounds how deep it leads. */
bool file_patterns_any_depth(const struct file_patterns *patterns);
