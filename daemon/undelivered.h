/* Undelivered: records that were read and will not be written, and the sinks that they were for. */
#pragma once

#include "daemon/log.h"
#include "pipeline/plan.h"

struct undelivered {
	uint64_t records; /* but for those of drop branches */
	uint64_t bytes;   /* that were not split into records yet */
	char sinks[256];  /* the names, each once, as many as fit */
};

/* Adds what is left in a pipeline that runs no more: closed, or given up. */
void undelivered_add(struct undelivered *sum, const struct pipeline *pipeline);

/* True if there is anything to tell. */
static inline bool undelivered_any(const struct undelivered *undelivered)
{
	return undelivered->records > 0 || undelivered->bytes > 0;
}

/* Tells it, in one line that begins with `why`. */
void undelivered_say(const struct undelivered *undelivered, struct log *log, const char *why);
