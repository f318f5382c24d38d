/* Files that are followed: read as they grow, for as long as the source runs.
 *
 * Each file is a stream. Those with something unread stand in a line; the first is read once, at most 256 KiB, and goes
 * to its end: none starves another. What a file's state asks for is found out when its turn comes:
 *
 *     truncated      the stream ends, and begins again with the file's start
 *     unread bytes   one read
 *     gone, read     the stream ends, the file is closed
 *     nothing        it rests, its descriptor open (among a thousand others), until it changes
 *
 * That something has changed is told by the kernel. A walk through the directories is due where a directory came or
 * went, every second where a directory is missing or cannot be watched, and once a while after changes, because the
 * kernel's queue of them may have overflowed.
 */
#pragma once

#include "pipeline/sources/file_reader.h"
#include "pipeline/sources/file_set.h"
#include "pipeline/sources/file_table.h"

enum {
	FILE_FOLLOW_MOST = 8192,
	FILE_FOLLOW_READERS = 4,
	FILE_FOLLOW_LINGER_MS = 5000 /* a writer may keep a renamed file for so long */
};

struct file_follow {
	struct node *node;
	struct file_set set;
	struct file_table table;
	struct file_reader readers[FILE_FOLLOW_READERS];
	uint32_t first_reader; /* they take turns to be first: each may use the whole quota */
	uint32_t walk;         /* the number of the walk under way or the last */
	uint64_t walk_due;     /* ms; 0: none */
	uint64_t linger_due;   /* ms: when a file that is gone may be given up; 0: none is gone */
	bool from_end; /* what is found now is read from its end: the first walk, with start_at "end" */
	bool walking; /* what is looked at is met by a walk, not told by the kernel */
	bool crowded; /* a file waits for a place */
	bool hurried; /* and has something to read: files that are gone are not waited for */
	bool said_crowded, said_refused;
	bool draining;
};

static inline bool file_follow_has_unread(const struct followed *file)
{
	return file->size > file->offset;
}

/* Brings `due` forward to `at` (ms), if it is later or unset. */
static inline void file_follow_schedule(uint64_t *due, uint64_t at)
{
	if (*due == 0 || at < *due)
		*due = at;
}

/* Begins to watch and finds what is there. `most`: files at once. */
bool file_follow_open(struct file_follow *follow, struct node *node, const struct strings *paths,
	const struct strings *exclude, uint32_t most, bool from_end, struct faults *faults);

/* A zeroed state is allowed. */
void file_follow_close(struct file_follow *follow);
void file_follow_halt(struct file_follow *follow);
void file_follow_read(struct file_follow *follow, struct batch *out);
bool file_follow_rest(struct file_follow *follow, struct batch *out);
void file_follow_drain(struct file_follow *follow);
size_t file_follow_cost(uint32_t most);
