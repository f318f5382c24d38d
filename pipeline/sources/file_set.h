/* File sets: the files that paths and globs name, found by walking, and noticed when they change.
 *
 * A walk visits the fixed directory of each pattern and, from there, every directory that may lead to a match; each is
 * watched, where watching was asked for, before it is read, so that nothing is missed between. What is found and what
 * changes is told the same way: look at this path. Whether there is a file, and which, the owner asks the kernel.
 *
 * A set is open as soon as its patterns are; it begins with the first walk.
 */
#pragma once

#include "pipeline/node.h"
#include "pipeline/sources/file_patterns.h"

struct file_set_directory;

struct file_set {
	struct node *node;
	struct file_patterns patterns;
	bool watches; /* directories are watched */
	bool incomplete; /* a directory is missing or could not be watched: it takes a walk to see what changes there */
	bool stale; /* a directory came or went: the next walk may find more */
	bool said_missing, said_unwatched, said_unread, said_many;

	struct file_set_directory **directories;
	size_t count, room;

	/* A path that matches: seen in a walk, or changed, or gone. With `matches` false: a path in a watched directory that
	 * is none of the set's has changed. */
	void (*look)(void *owner, const char *path, bool matches);
	void *owner;
};

/* Opens its patterns. False with a fault. */
bool file_set_open(struct file_set *set, const struct strings *paths, const struct strings *exclude,
	struct faults *faults);

/* What it was made of; a zeroed set is allowed. */
void file_set_close(struct file_set *set);

/* Walks: looks at every path there is. */
void file_set_walk(struct file_set *set);

/* The memory that it takes at most. */
size_t file_set_cost(void);
