/* What the kernel knows of this process. */
#include "daemon/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The name, in brackets, may hold anything: what follows the last bracket is numbers (proc(5)). */
static void read_stat(struct process *process)
{
	char text[1024];
	unsigned long long start = 0, size = 0;
	long long pages = 0;
	FILE *file = fopen("/proc/self/stat", "re");

	if (!file)
		return;
	const size_t count = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[count] = '\0';
	const char *behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1,
			       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			       "%*d %*d %*d %llu %llu %lld",
			       &start, &size, &pages) != 3)
		return;
	const double ticks = (double)sysconf(_SC_CLK_TCK);
	process->virtual_memory = size;
	process->resident = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	process->start_time = clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_BOOTTIME) +
			      (double)start / ticks;
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
