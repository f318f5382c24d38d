/* Opening regular files, and nothing that only looks like one. */
#pragma once

#include <sys/stat.h>

/* What a file is that is no regular one: "a directory"; NULL for a regular one. */
const char *regular_file_refused(mode_t mode);

/* A descriptor to read from, or -1 with `errno`. What is no regular file is not opened (a FIFO would wait, a device
 * may act), or closed again: then `errno` is 0 and `status` says what it is. */
int regular_file_open(const char *path, struct stat *status);
