/* Reloading: a changed configuration takes the place of the running one, pipeline by pipeline.
 *
 *     the same in both     goes on untouched
 *     changed              its sources that are the same keep sockets, connections and files; what was read is written
 *                          through the old stages and sinks; then the new ones open and go on
 *     gone                 drains and is closed
 *     new                  opens
 *
 * A configuration that is wrong, or that needs a restart, changes nothing. If something of a right one cannot be opened,
 * the old one is put back. If the daemon is told to end meanwhile, what has not begun is left alone.
 */
#pragma once

#include "daemon/changes.h"
#include "daemon/generation.h"
#include "daemon/undelivered.h"
#include "daemon/workers.h"

/* ABANDONED: the daemon ends. */
enum reload_result { RELOAD_NONE, RELOAD_DONE, RELOAD_REFUSED, RELOAD_ABANDONED };

struct reload {
	struct log *log;
	struct workers *workers;
	struct generation **latest; /* the owner's: changed when a reload is done */
	const char *path;
	uint32_t threads; /* that codecs have */

	struct generation *next; /* on its way in; NULL: nothing is under way */
	struct changes changes;
	bool adding;       /* what was to end has ended */
	bool abandoned;    /* the daemon ends */
	bool putting_back; /* `next` is the old configuration again */
	bool broken;       /* not even that could be opened */

	uint64_t number;           /* of the configuration that runs: 1 at start */
	uint64_t failures;         /* reloads that were refused */
	enum reload_result result; /* of the last one */
	uint32_t workers_wanted;   /* by the one that runs, if there were as many */
	char outcome[256];         /* in words */
	char *faults;              /* of the last one, as people read them; NULL: none */
	int64_t at;                /* seconds since 1970 */
	bool bad_data, unread;     /* so it was in pipelines that are gone */
	struct undelivered left;   /* in pipelines that were cut short on their way out */
};

/* Reads the configuration again, and begins. False if it is done with that already: nothing has to change, or it was
 * refused. Nothing may be under way. */
bool reload_begin(struct reload *reload);

/* Goes on with what is under way. True when it is over. */
bool reload_step(struct reload *reload);

/* It cannot be tried: counted and said as one that was refused. */
void reload_refuse(struct reload *reload, const char *why);

/* The daemon is told to end: no more is begun than has to be, so that nothing is lost. */
void reload_abandon(struct reload *reload);

/* Whom what is under way waits for, if it does so for long: names of sinks; else NULL. */
const char *reload_waits_for(const struct reload *reload);

/* What was under way when all workers ended is the latest generation now. */
void reload_close(struct reload *reload);

/* True if reload_step() would go on at once. */
bool reload_is_due(const struct reload *reload);

static inline bool reload_is_under_way(const struct reload *reload)
{
	return reload->next != NULL;
}
