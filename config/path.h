/* Paths as text: brought to one form, so that two can be compared. */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* The path from the root, without ".", ".." and doubled slashes, as text alone: links are not followed. A glob stays
 * one. False if it is longer than a path can be. */
bool path_normal(const char *path, char normal[PATH_MAX]);
