/* The path that a sink writes to: as it is written, or with the time in it ("%Y-%m-%d.log"), which the clock moves on. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct file_path {
	const char *template;
	bool timed; /* it has conversions of strftime(3) */
	bool local; /* in local time; otherwise UTC */
	bool moves;
	int64_t as_of;           /* seconds since 1970 */
	char texts[2][PATH_MAX]; /* the path in use, and what it is as of the clock */
	unsigned used;
};

/* The conversion in the template that a path cannot have (two bytes, "%D"); NULL if all is well. */
const char *file_path_refused(const char *template);

/* Makes the path of a well-formed template, in seconds since 1970. False if it is empty or longer than a path can be. */
bool file_path_begin(struct file_path *path, const char *template, bool local, int64_t now);

/* True if the path is another one by now: file_path_next(). Looked at once a second: nothing in a path is finer. */
bool file_path_moves(struct file_path *path, int64_t now);

/* The path that is in use. */
const char *file_path_text(const struct file_path *path);

/* The path as of the last file_path_moves(). */
const char *file_path_next(const struct file_path *path);

/* What is next is in use from now on. */
void file_path_move(struct file_path *path);
