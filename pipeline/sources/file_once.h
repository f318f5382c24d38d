/* Files that are read once: each from its start to its end, in name order, one behind the other, then the source has
 * ended. All of them are one stream that ends and begins again. */
#pragma once

#include "pipeline/sources/file_reader.h"

struct faults;
struct strings;

struct file_once {
	struct node *node;
	struct file_reader reader;
	struct once_match *matches; /* in name order */
	size_t count, next, room;
	int fd; /* -1: none */
	uint64_t offset, size;
	uint32_t end; /* VIEW_END or VIEW_BROKEN: to be put before the next file; 0: nothing */
	bool draining;
	bool many;        /* more matches than there may be */
	uint64_t skipped; /* files */
};

/* Finds the files. False with a fault for each path that names nothing. Sets node->expected. */
bool file_once_open(struct file_once *once, struct node *node, const struct strings *paths,
	const struct strings *exclude, struct faults *faults);
void file_once_close(struct file_once *once);
void file_once_read(struct file_once *once, struct batch *out);
bool file_once_rest(struct file_once *once, struct batch *out);
void file_once_drain(struct file_once *once);
