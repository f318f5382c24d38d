/* The status of a running daemon (status.h) as a table for people. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct status_style {
	bool coloured;   /* for a terminal: trouble stands out */
	unsigned width;  /* cells; longer lines are cut; 0: as long as they are */
	unsigned height; /* lines; what comes then is left out, and said; 0: all */
};

/* Lines that end in LF. Allocated; NULL without memory. */
char *status_table(const cJSON *status, const struct status_style *style);
