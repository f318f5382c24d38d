/* Reading a small file whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/arena.h"

/* Reads `path` into the arena, with a NUL behind it. False with errno set; EFBIG: it holds more than `most` bytes. */
bool whole_file_read(struct arena *arena, const char *path, size_t most, char **text, size_t *size);

/* The same from a descriptor, to its end. It stays open. */
bool whole_file_take(struct arena *arena, int descriptor, size_t most, char **text, size_t *size);
