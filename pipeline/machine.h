/* What the machine lets us use, or the cgroup (version 2) that we are in. */
#pragma once

#include <stdint.h>

/* Processors, at least 1. */
uint32_t machine_cores(void);

/* Bytes; `whose` gets "this machine" or "the cgroup" (static). UINT64_MAX where nobody says. */
uint64_t machine_memory(const char **whose);

/* The least cpu.max, in whole processors, and the least memory.max, in bytes, from a cgroup's folder ("/a/b", "" for the root) up to `root`, where all of them are mounted.
 * UINT64_MAX where none is set. */
uint64_t machine_cgroup_cores(const char *root, const char *folder);
uint64_t machine_cgroup_memory(const char *root, const char *folder);
