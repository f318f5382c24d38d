/* Limits hold for a cgroup and all that is in it: those of the folders above count, too. */

#include "pipeline/machine.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDER_SIZE = 512, PATH_SIZE = 640, LINE_SIZE = 64 };

static const char mounted[] = "/sys/fs/cgroup";

/* The folder of this cgroup, as /proc names it: "" where it does not. */
static void find_cgroup(char folder[FOLDER_SIZE])
{
	char line[FOLDER_SIZE] = "";
	FILE *self = fopen("/proc/self/cgroup", "re");
	folder[0] = '\0';
	if (!self)
		return;
	if (fgets(line, sizeof(line), self) && strncmp(line, "0::", 3) == 0)
		snprintf(folder, FOLDER_SIZE, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	fclose(self);
}

static bool read_line(const char *root, const char *folder, const char *name, char line[LINE_SIZE])
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool read = fgets(line, LINE_SIZE, file) != NULL;
	fclose(file);
	return read;
}

/* The least that a folder or one above it allows; in a container ours has another name than in /proc, and the root of what
 * we see is it. */
static uint64_t least_above(const char *root, const char *folder,
	uint64_t (*allows)(const char *root, const char *folder))
{
	char at[FOLDER_SIZE];
	uint64_t least = allows(root, "");
	snprintf(at, sizeof(at), "%s", folder);
	for (char *slash; (slash = strrchr(at, '/')); *slash = '\0') {
		const uint64_t most = allows(root, at);
		least = most < least ? most : least;
	}
	return least;
}

/* --- processors --------------------------------------------------------------------------------------------------- */

/* Whole processors that a folder lets us use; UINT64_MAX if it says nothing. */
static uint64_t cores_max(const char *root, const char *folder)
{
	char line[LINE_SIZE] = "", *end = line;
	if (!read_line(root, folder, "cpu.max", line))
		return UINT64_MAX;
	const uint64_t quota = strtoull(line, &end, 10); /* "max": 0 */
	const uint64_t period = strtoull(end, NULL, 10);
	return quota == 0 || period == 0 ? UINT64_MAX : (quota + period - 1) / period;
}

uint64_t machine_cgroup_cores(const char *root, const char *folder)
{
	return least_above(root, folder, cores_max);
}

uint32_t machine_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	char folder[FOLDER_SIZE];
	find_cgroup(folder);
	const uint64_t all = (uint64_t)CPU_COUNT(&set);
	const uint64_t allowed = machine_cgroup_cores(mounted, folder);
	return (uint32_t)(allowed < all ? allowed : all);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

static uint64_t memory_max(const char *root, const char *folder)
{
	char line[LINE_SIZE] = "";
	bool set = read_line(root, folder, "memory.max", line) && line[0] >= '0' && line[0] <= '9';
	return set ? strtoull(line, NULL, 10) : UINT64_MAX;
}

uint64_t machine_cgroup_memory(const char *root, const char *folder)
{
	return least_above(root, folder, memory_max);
}

uint64_t machine_memory(const char **whose)
{
	char folder[FOLDER_SIZE];
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t all = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
	find_cgroup(folder);
	uint64_t allowed = machine_cgroup_memory(mounted, folder);
	*whose = allowed < all ? "the cgroup" : "this machine";
	return allowed < all ? allowed : all;
}
