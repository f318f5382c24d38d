/* The file that a sink writes: opened to append, locked, in directories that are made for it. */
#pragma once

#include "config/option.h"

#include <sys/types.h>

struct file_target {
	int fd;    /* -1: none */
	int error; /* what went wrong: errno; EWOULDBLOCK: another process has locked it */
	bool regular;
	bool local;       /* its file system is this machine's own */
	bool bare;        /* it has content that does not end with the delimiter */
	bool made;        /* it was not there */
	bool made_folder; /* nor was its directory */
	dev_t device;
	ino_t inode;
};

/* Opens `path` to append to it, and makes it (with exactly this mode) and its directories (0750) where they are missing.
 * False with what went wrong in `why`, and nothing left open. */
bool file_target_open(struct file_target *target, const char *path, mode_t mode, char why[256]);

/* Makes the names of what was made durable, as fdatasync() makes what is written. False with `why`. */
bool file_target_sync_names(const struct file_target *target, const char *path, char why[256]);

/* What it takes from an open file: true if both are one file, so that opening it anew gave nothing new. */
bool file_target_same(const struct file_target *a, const struct file_target *b);

/* Locks it against other writers; what cannot be locked needs no lock. False with `why` if another process has it. */
bool file_target_lock(struct file_target *target, const char *path, char why[256]);

/* Looks whether what the file holds ends with `delimiter`, and sets `bare`. */
bool file_target_look(struct file_target *target, const char *path, const char *delimiter,
	size_t size, char why[256]);

/* The size of a regular file; 0 where it cannot be told. */
uint64_t file_target_size(const struct file_target *target);

/* Shortens a regular file to `size` bytes, unless it is shorter. False with errno if that can't be done. */
bool file_target_shorten(const struct file_target *target, uint64_t size);

/* Shortens a regular file by its last `bytes` bytes. False if that can't be done. */
bool file_target_cut(const struct file_target *target, uint64_t bytes);

void file_target_close(struct file_target *target);
