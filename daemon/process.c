/* What the kernel knows of this process. */
#include "daemon/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Seconds since 1970 at which the machine started, as /proc/stat tells it, which is the same each time; 0: it does not. */
static double boot_time(void)
{
	char line[256];
	double seconds = 0;
	FILE *file = fopen("/proc/stat", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "btime ", 6) == 0)
			seconds = (double)strtoull(line + 6, NULL, 10);
	fclose(file);
	return seconds;
}

enum { FIELD_START = 22, FIELD_SIZE = 23, FIELD_PAGES = 24, FIRST_FIELD = 3 };

/* A field of proc(5)'s stat, counted from 1. The name, in brackets, may hold anything: what follows the last bracket are
 * single words. 0 where there are fewer. */
static uint64_t field(const char *stat, unsigned number)
{
	const char *at = strrchr(stat, ')');

	for (unsigned skipped = FIRST_FIELD - 1; at && skipped < number; skipped++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static void read_stat(struct process *process)
{
	char text[1024];
	FILE *file = fopen("/proc/self/stat", "re");

	if (!file)
		return;
	const size_t count = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[count] = '\0';
	const double ticks = (double)sysconf(_SC_CLK_TCK);
	process->virtual_memory = field(text, FIELD_SIZE);
	process->resident = field(text, FIELD_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	process->start_time = boot_time() + (double)field(text, FIELD_START) / ticks;
}

static uint64_t count_open_files(void)
{
	uint64_t count = 0;
	DIR *folder = opendir("/proc/self/fd");

	if (!folder)
		return 0;
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count - 1; /* the folder's own */
}

void process_look(struct process *process)
{
	struct rusage usage;
	struct rlimit files;

	*process = (struct process){ 0 };
	read_stat(process);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		process->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		process->most_files = files.rlim_cur;
	process->open_files = count_open_files();
}
