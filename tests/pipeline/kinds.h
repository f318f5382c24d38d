/* Kinds for the planner's tests, in the place of the real ones: they plan, and are never opened.
 *
 *     tcp, file, stdin        sources; tcp has max_connections (1024) streams
 *     split                   newline, delimiter, nul; 64 bytes are charged a stream
 *     filter                  needs records; "(" does not compile; holds memory until it is closed
 *     compress                bytes or records to frames; 1 MiB is charged, twice the largest record
 *     file, tcp, stdout, null sinks
 */
#pragma once

#include "pipeline/plan.h"

void kinds_add(void);

/* A configuration written with ' for ", planned. Both outlive the call. */
struct planned {
	struct document document;
	struct faults faults;
	struct plan *plan;
};
void kinds_plan(struct planned *planned, const char *text);

/* The same, with variables left as they are. */
void kinds_plan_unresolved(struct planned *planned, const char *text);

/* The same, without faults: fails the test with them otherwise. */
void kinds_plan_well(struct planned *planned, const char *text);

void kinds_close(struct planned *planned);

/* The node of a name; the test fails without it. */
struct node *kinds_node(const struct planned *planned, const char *name);
