/* A configuration as a command gets it: read, planned, and with everything that is wrong with it. */
#pragma once

#include "daemon/log.h"
#include "pipeline/plan.h"

struct configuration {
	struct document document;
	struct faults faults;
	struct plan *plan; /* NULL if there are faults that are no warnings */
};

/* Reads and plans. False with faults. To be closed in either case. */
bool configuration_read(struct configuration *configuration, const char *path, bool resolve);

/* Says all faults and warnings, in the order of the file; under log-format json as events of the log. */
void configuration_report(struct configuration *configuration, struct log *log);

void configuration_close(struct configuration *configuration);
