/* What the kernel knows of this process: the figures that Prometheus' clients call process_*. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct process {
	double cpu_seconds;
	double start_time;                 /* seconds since 1970 */
	uint64_t resident, virtual_memory; /* bytes */
	uint64_t open_files, most_files;
};

/* What cannot be read (a /proc that is not there) stays 0. */
void process_look(struct process *process);
