/* What the engine keeps of a pipeline while it runs: private to the files of the engine and to node.c. */
#pragma once

#include "pipeline/engine.h"

/* An epoch: positions are noted at the sources, a mark travels beside the data, and when every sink that holds up
 * commits has written what stands before it, the sources commit. One at a time, at most one a second.
 *
 *     start ──note──▶ mark ──settle──▶ mark ──▶ … ──▶ safe ≥ mark ──commit──▶ sources
 */
struct epoch {
	bool wanted;       /* a source has `commit` */
	uint64_t interval; /* ms */
	bool open;         /* one is under way */
	uint64_t number;
	uint64_t due;        /* when the next may start; 0: nothing has moved since the last */
	uint64_t *noted;     /* positions, by stream */
	uint64_t *passed;    /* by node: the last epoch that it passed on */
	uint64_t *sink_mark; /* by node: where a sink's epoch lies in its input */
	bool last_done;      /* the sources have ended and what they noted then has been marked */
};

struct engine {
	struct loop *loop;
	struct run **runs; /* of the worker's pipelines */
	size_t count;
	size_t first; /* the pipeline whose turn is first: they rotate */
	engine_log *log;
	void *log_context;
	uint64_t epoch_interval; /* ms */
	struct turn_times times;
	uint64_t changes; /* pipelines that came */
	bool draining, opened, end_wanted;
};

struct run {
	struct pipeline *pipeline;
	struct engine *engine;
	struct epoch epoch;
	bool ready;
	uint64_t moved;  /* as of the last sweep: views and bytes put and taken */
	uint64_t epochs; /* the same of epochs */
	bool reading; /* there is more to read: the sources brought something in this round, or are about to */
	uint64_t read;     /* bytes that the sources brought */
	uint32_t overdue;  /* turns in which a node left its due time in the past */
	size_t open_nodes; /* nodes that have not finished */
	struct leg *legs;
	size_t leg_count, first_leg; /* they take turns to be first */
	size_t shared;               /* the first node behind the legs */
	bool draining;
	bool watched;            /* somebody waits for it to be quiet */
	bool resting;            /* it is about to be replaced: sources read no more */
	bool failed;             /* it could not be opened: it waits to be replaced */
	bool stuck;              /* it could not be closed: the kernel keeps something of it */
	bool handed_over;        /* its sources, with what they counted, are another's */
	struct carried *carried; /* what was unfinished in the pipeline that it replaced */
	size_t carried_count, carried_at;
	bool leaving;        /* what its sinks did not write goes to heirs */
	bool inherits;       /* sinks have inherited what is not in their queues yet */
	struct buffer *room; /* where the next bytes of that go */
	struct tapped *taps; /* who looks at what its nodes put; NULL: nobody */
};

/* A source and the stages that only it feeds. */
struct leg {
	size_t first, size; /* in the pipeline's nodes */
};

/* Unfinished bytes of a stream that go on in another pipeline, with how it ends; or, without data, what is passed over. */
struct carried {
	uint32_t stream;
	struct view view;
	struct passed passed;
	bool alike; /* the stage that it comes from had the options of the one that it comes to */
};

/* Adds a pipeline to the engine; its pool, batches and nodes are opened then, the nodes in so many steps, sinks first.
 * The engine takes each step with all its pipelines. */
enum { RUN_STEPS = 4 };
struct run *run_create(struct engine *engine, struct pipeline *pipeline);
bool run_open_memory(struct run *run, struct faults *faults);
bool run_open_step(struct run *run, size_t step, struct faults *faults);
bool run_open_nodes(struct run *run, struct faults *faults);

void source_drain(struct node *node, uint64_t read_deadline);
void run_drain(struct run *run, uint64_t read_deadline);
bool run_is_over(const struct run *run);

/* How long what is cancelled may take to come back: milliseconds. */
enum { RUN_HALT_MS = 1000 };
void run_cancel(const struct run *run);
/* False if something is still in flight at the deadline. */
bool run_wait(const struct run *run, uint64_t deadline);

/* What is left is counted as dropped; accounts can still be read. Nothing may be in flight. */
void run_close(struct run *run);
void run_free(struct run *run);

/* Cancels, closes and frees it; `heir` may be NULL. False, and nothing is freed, if something does not come back. */
bool run_destroy(struct run *run, struct pipeline *heir);

/* Rounds until nothing moves, or as many as a turn may have: then it stays ready. */
void turn_take(struct run *run);

/* When a node or an epoch wants the next turn, though nothing moves; 0: never. */
uint64_t turn_due(const struct run *run);

/* The monotonic clock at this moment, in nanoseconds: loop_now() stands still within a turn. */
uint64_t turn_clock(void);

/* The nodes of `next` count on from where those of `old`, which are closed, have come to. */
void report_inherit(const struct pipeline *old, struct pipeline *next);

/* The place in `next` of the source that can go on with what the one at `at` of `old` has open; SIZE_MAX: none can. */
size_t change_match(const struct pipeline *old, size_t at, const struct pipeline *next);

/* True if both are of one kind, with the same options. */
bool node_says_the_same(const struct node *a, const struct node *b);

/* The source that a stream belongs to. */
struct node *pipeline_source_of(const struct pipeline *pipeline, uint32_t stream);

/* Puts carried bytes into the edges of the sources whose streams they are. True when none is left. */
bool carried_put(struct run *run);
void carried_close(struct run *run);

/* Sinks of `old`, which has not become quiet, stop writing, and leave what they have to those of `next`; see leaving.c. */
void leaving_begin(struct pipeline *old, struct pipeline *next);

/* Passes on what has come to a sink that leaves. */
void leaving_step(struct node *node);

/* Puts what was inherited into the queues, as far as there is room. */
void leaving_put(struct run *run);

/* What a sink has inherited and not got into its queue. */
uint64_t leaving_records(const struct node *node);
uint64_t leaving_bytes(const struct node *node);

/* The end of a run: what was inherited counts as come, and is lost. */
void leaving_close(struct run *run);
void leaving_forget(struct node *node);

bool round_open(struct run *run);
void round_close(struct run *run);

/* Steps every node once. False if nothing moved. */
bool round_moves(struct run *run);

/* Lets sinks write what they have, though there is more to read. */
void round_flush(struct run *run);

/* The records that wait in front of the node. */
uint64_t node_queued(const struct node *node);

/* How many pipelines the worker runs. */
size_t engine_pipelines(const struct engine *engine);

/* The node's place in its pipeline. */
size_t run_index(const struct run *run, const struct node *node);

/* `interval`: milliseconds between epochs, at least. */
bool epoch_open(struct run *run, uint64_t interval);
void epoch_close(struct run *run);

/* Something has moved: an epoch is due before long. */
void epoch_moved(struct run *run, uint64_t now);

/* Starts an epoch if one is due, and ends the open one if all sinks are safe. */
void epoch_step(struct run *run, uint64_t now);

/* The node's mark is reached and settled: it goes on to what follows. */
void epoch_pass(struct run *run, struct node *node);

/* A node has finished: epochs no longer wait for it. */
void epoch_node_finished(struct run *run, struct node *node);

/* True if an ended source's edge may be closed: its last positions are noted. */
bool epoch_lets_close(struct run *run);

/* Moves what fits from the tee's input to its branches. */
void tee_process(struct run *run, struct node *tee);

/* A turn has ended and nothing moves; a turn begins. */
void waiting_begin(struct run *run, uint64_t now);
void waiting_end(struct run *run, uint64_t now);

/* A turn has ended: notes the sinks that are down. */
void waiting_note_down(struct run *run, uint64_t now);

/* Shows the taps what a node has put since the last step of any. */
void run_show_taps(struct run *run, const struct node *node);

/* Detaches all: the pipeline ends. */
void run_detach_taps(struct run *run);

/* The buffers that a branch pins: in all its edges. */
uint32_t branch_pins(const struct batch *batch);
