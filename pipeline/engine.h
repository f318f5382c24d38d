/* The engine: runs the pipelines of one worker on its loop.
 *
 * A turn: each ready pipeline once, in rotation, until nothing moves or 1 MiB, 16 rounds or 1 ms are used; then the loop
 * submits, waits (not at all if a pipeline is still ready) and calls back. A waiting pipeline becomes ready only by
 * node_wake() or by a node's `due`: nothing polls.
 */
#pragma once

#include "pipeline/plan.h"

struct engine;

/* Told of each event; `node` is NULL for a pipeline's own. The text is one line, unescaped. */
typedef void engine_log(void *context, enum log_level level, const char *pipeline, const char *node,
	const char *text);

/* For the pipelines of the plan that are this worker's, at least one. All that follows is called on the thread that made
 * the loop, but for engine_destroy(), once that thread has closed it and ended. NULL without memory. */
struct engine *engine_create(
	struct plan *plan, uint32_t worker, struct loop *loop, engine_log *log, void *context);

/* Makes pools, batches and states, and opens every node: sinks first, listeners last. False with faults; then only
 * engine_destroy() may follow. */
bool engine_open(struct engine *engine, struct faults *faults);

/* How often epochs start, at most; a second unless said. For tests, which cannot wait. */
void engine_set_epoch_interval(struct engine *engine, uint64_t ms);

/* Runs one turn and waits at most `timeout_ms` (−1: until something happens). */
void engine_turn(struct engine *engine, int timeout_ms);

/* Every source has ended and every sink has finished; while draining, but for drop branches whose sinks are down. */
bool engine_finished(const struct engine *engine);

/* Begins to drain; sockets are read until `read_deadline` at most (node_now() clock). */
void engine_drain(struct engine *engine, uint64_t read_deadline);
bool engine_drains(const struct engine *engine);

/* A node has no more use for the run (the reader of standard output has gone): drains, and remembers it, so that whoever
 * runs several engines can drain the others. */
void engine_want_end(struct engine *engine);
bool engine_wants_end(const struct engine *engine);

/* Every file sink closes and opens its path again at a record's border. */
void engine_reopen(struct engine *engine);

/* --- changing what runs -------------------------------------------------------------------------------------------- */

/* True if it was opened, and is not on its way to an end: no attempt to take over has failed, and it was not told to
 * retire or rest. */
bool engine_runs(const struct pipeline *pipeline);

/* True if it drains, and nothing is going to take its place. */
bool engine_ends(const struct pipeline *pipeline);

/* Opens one more pipeline of this worker. False with faults; then nothing of it is left but its plan. */
bool engine_add(struct engine *engine, struct pipeline *pipeline, struct faults *faults);

/* Begins to end a pipeline: as engine_drain(), for this one. */
void engine_retire(struct pipeline *pipeline, uint64_t read_deadline);

/* Begins to end a pipeline in favour of `next`: sources that are the same in both read no more and keep what they have
 * open, the others drain; then what was read is written. */
void engine_rest(struct pipeline *pipeline, struct pipeline *next, uint64_t read_deadline);

/* True when all that was read of a retired pipeline is written and finished, or of a resting one is written. */
bool engine_is_quiet(const struct pipeline *pipeline);

/* The sinks that a pipeline waits for before it is quiet: their names, as many as fit. False if it is for none. */
bool engine_waits_for(const struct pipeline *pipeline, char *names, size_t size);

/* For one that rests and does not become quiet: what its sources have read and not put is given back. False as long as
 * something is under read. */
bool engine_give_back(struct pipeline *pipeline);

/* Gives the sources that match, and what is unfinished in their streams, from `old` to `next`, and lets the rest of
 * `old` end, as a retired one; where it is not quiet its sinks leave what they did not write. Sources that do not rest
 * stay. False with faults, and nothing is done. */
bool engine_hand_over(struct pipeline *old, struct pipeline *next, struct faults *faults);

/* True if all that a pipeline still waits for are sinks that are not there, and others of `next` can write instead. */
bool engine_waits_in_vain(const struct pipeline *pipeline, const struct pipeline *next);

/* Sinks of a pipeline that did not write in time, and have no heir in `next`, let go of what they have, and of what still
 * comes to them, so that the others get theirs. False if there are none, or no others. */
bool engine_abandon_sinks(struct pipeline *pipeline, const struct pipeline *next);

/* True if it was not quiet when it was handed over from, and what its sinks did not write goes to those of the other. */
bool engine_leaves(const struct pipeline *pipeline);

/* Opens a pipeline that was handed over to. False with faults: it does not run, but can be handed over from again. */
bool engine_take_over(struct pipeline *pipeline, struct faults *faults);

/* Closes a pipeline; what is left in it is counted as dropped. The nodes of `heir` (NULL: there is none) that have the
 * names of its nodes count on from there. False if something of it does not come back from the kernel: it is
 * never looked at again, and at its end the process can only end. */
bool engine_remove(struct pipeline *pipeline, struct pipeline *heir);

/* Records that a node, or all of a pipeline, had read and did not write, in queues, frames and sends, whether it is closed
 * or not; those of drop branches do not count. */
uint64_t node_undelivered(const struct node *node);
uint64_t pipeline_undelivered(const struct pipeline *pipeline);

/* Bytes of streams that were read and neither split into records nor written. */
uint64_t pipeline_undelivered_bytes(const struct pipeline *pipeline);

/* Grows with each pipeline that comes to the engine. */
uint64_t engine_changes(const struct engine *engine);

/* Milliseconds of the loop's clock. */
uint64_t engine_now(const struct engine *engine);

/* False once its sources have gone on in another one, or it is closed: what it has counted is counted there. */
bool engine_counts(const struct pipeline *pipeline);

/* Of one shard; call it on the thread that the pipeline belongs to, between turns, or when that has ended. */
void report_node(const struct node *node, struct node_report *report);

/* True if records were lost because data were not what they should be; if files could not be read. */
bool node_lost_bad_data(const struct node *node);
bool node_left_unread(const struct node *node);

/* Adds what another shard of the same node counted. */
void report_add(struct node_report *sum, const struct node_report *shard);

/* Of all shards, where its pipeline is the first of several: when all threads have ended, or there is but one. */
void engine_report(const struct node *node, struct node_report *report);

/* How long the turns of an engine took, waiting not included: `counts[i]` of them at most engine_turn_limits[i] seconds
 * (and more than the limit before); the last is for the rest. */
enum { TURN_LIMITS = 9 };
extern const double engine_turn_limits[TURN_LIMITS];
struct turn_times {
	uint64_t counts[TURN_LIMITS + 1];
	uint64_t ns; /* all together */
};
const struct turn_times *engine_turn_times(const struct engine *engine);

/* One event, for whoever the engine tells. */
void engine_say(struct engine *engine, enum log_level level, const char *pipeline, const char *node,
	const char *text);

/* Halts what is in flight, waits for it, closes every node. What was still held is counted as dropped: `shutdown`. The
 * accounts and counts of batches can still be read. False, and nothing is closed, if something did not come back within a
 * second (a write to a pipe that nobody reads): then the process can only end. */
bool engine_close(struct engine *engine);

/* Closes, and gives back all memory. */
void engine_destroy(struct engine *engine);
