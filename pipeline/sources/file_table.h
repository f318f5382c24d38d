/* The files that a source follows, by identity (device and inode): a file that is renamed stays the same one.
 *
 * A file's place in the table is the number of its stream. It is in at most one of two lists: those that something is
 * to be done about, first come first served; and all that are open, the one read longest ago first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct followed {
	char *path;
	uint64_t path_hash;
	dev_t device;
	ino_t inode;
	uint64_t offset;  /* what was read */
	uint64_t size;    /* as far as it is known */
	uint64_t left_at; /* ms: since when no name leads to it, or the last change after that */
	uint32_t seen;    /* the walk that met it last */
	int fd;           /* -1: not open now */
	bool waiting;     /* in the list of those with something to do */
	bool reading;     /* a read is in flight or not delivered yet */
	bool restarts;    /* it was truncated: its stream ends and begins again */
	bool gone;        /* no name of the set's leads to it any more */
	bool deleted;     /* no name at all: nothing can come but from who has it open */
	bool failed;      /* could not be opened or read: nothing is tried until it changes */
	bool said;        /* that it could not be opened was logged */
	bool broken;      /* reading failed: its stream ends here */
	struct followed *next_of_hash;
	struct followed *previous_waiting, *next_waiting;
	struct followed *previous_open, *next_open;
};

struct file_table {
	struct followed *files;
	struct followed **by_identity;
	uint32_t most, used; /* used: the places ever taken, from the start */
	uint32_t count;
	struct followed *first_waiting, *last_waiting;
	struct followed *first_open, *last_open;
	uint32_t open_count;
};

/* Memory for `most` files (a power of two, or one). False without it. */
bool file_table_open(struct file_table *table, uint32_t most);

/* Closes every descriptor; nothing may be in flight. A zeroed table is allowed. */
void file_table_close(struct file_table *table);
size_t file_table_cost(uint32_t most);

/* NULL if there is none. */
struct followed *file_table_find(const struct file_table *table, const struct stat *status);
struct followed *file_table_find_path(const struct file_table *table, const char *path);

/* NULL if the table is full, or without memory for the path. */
struct followed *file_table_add(
	struct file_table *table, const char *path, const struct stat *status);

/* Closes and forgets it. It must not be being read. */
void file_table_remove(struct file_table *table, struct followed *file);

/* Gives a file another path. */
void file_table_rename(struct followed *file, const char *path);

/* The number of its stream, from 0. */
static inline uint32_t file_table_number(
	const struct file_table *table, const struct followed *file)
{
	return (uint32_t)(file - table->files);
}

/* Puts it at the end of those with something to do, if it isn't one of them. */
void file_table_wait(struct file_table *table, struct followed *file);

/* There is nothing to do about it any more: takes it out of that list, if it is there. */
void file_table_rest(struct file_table *table, struct followed *file);

/* It has been opened or read: it is the last one to be closed. */
void file_table_opened(struct file_table *table, struct followed *file, int fd);
void file_table_touch(struct file_table *table, struct followed *file);
void file_table_shut(struct file_table *table, struct followed *file);
