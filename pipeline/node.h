/* Nodes: sources, stages and sinks, and the rows that they form.
 *
 * A pipeline is a row of nodes with a batch between each two; data flows from left to right, once. A node's work is
 * zlib's contract: consume from `in`, produce into `out`, stop when one of them is exhausted. The engine walks the row;
 * nodes never call nodes, never wait, and never decide when to flush.
 *
 *     kernel ─▶ [source] ─batch─▶ [stage] ─batch─▶ [tee] ─batch─▶ [sink] ─▶ kernel
 *                   │                                └─batch─▶ [stage] ─batch─▶ [sink]
 *                 pool ◀──────── a buffer comes back when its last view is dropped ────────┘
 *
 * A kind of node is one file with its ops table, and its name in registry.h. Its state is one struct that begins zeroed,
 * holds the options that its table names, and whatever else it needs; the core allocates it.
 */
#pragma once

#include "config/option.h"
#include "pipeline/flow/batch.h"
#include "pipeline/flow/copy.h"
#include "pipeline/flow/framing.h"
#include "pipeline/flow/scan.h"

#include <assert.h>
#include <limits.h>

struct loop;
struct node;
struct pipeline;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

enum drop_reason {
	DROP_WHEN_FULL,
	DROP_TOO_LONG,
	DROP_INCOMPLETE,
	DROP_CUT,
	DROP_FRAMING,
	DROP_PARSE,
	DROP_DAMAGED,
	DROP_MEMORY,
	DROP_TOO_BIG_FOR_DATAGRAM,
	DROP_UNMATCHED,
	DROP_SHUTDOWN,
	DROP_REASONS
};

/* The reason's name in metrics ("too_long"). */
const char *drop_reason_name(enum drop_reason reason);

/* What an edge carries, as the planner knows it: a node gets its input's shape and says its output's. */
struct shape {
	enum flow_kind kind;
	const struct framing *framing; /* records; NULL for bytes and frames */
	uint32_t streams;              /* bytes: how many streams may be under way at once */
	uint32_t connections; /* bytes: of them, those that are connections, open to anybody */
	uint64_t
		max_record; /* records, frames: bytes with delimiter; bytes: of a datagram, 0 where there are none */
	uint32_t most_views; /* records: m, the most views that one may have */
};

/* What a kind is. */
struct node_type {
	const char *name, *doc;
	const struct option *options;
	size_t state_size;
	const char *example; /* one node in JSON; NULL: made from the options */

	/* Says what the node gives for what it gets (`in` is NULL for a source, `out` for a sink), adds its memory to
	 * node->charge, writes to node->how and node->copies_why, and refuses what does not fit. Called more than once while
	 * the planner looks for a size that fits: it starts from zeroed charge and must not leak; what it compiles
	 * it keeps in the state and reuses. */
	bool (*plan)(struct node *node, const struct shape *in, struct shape *out,
		struct faults *faults);

	/* Starts, in memory that it allocates here once and for all. False with a fault (no place) if it can't; what was
	 * begun is undone by close. */
	bool (*open)(struct node *node, struct faults *faults);

	/* Stops and gives back everything that plan and open made; a zeroed state is allowed. Nothing of it is in flight
	 * any more: the engine calls `halt` first and waits until node->busy is 0. */
	void (*close)(struct node *node);

	/* Cancels what is in flight, because the run is over or cut short. NULL: never anything in flight. */
	void (*halt)(struct node *node);
};

/* What the sources of a pipeline may bring a round, together, and what a sink writes at once. Both are the same: where a
 * sink took less, its queue would fill up and stay full, and the buffers would go round cold. */
enum { NODE_MOST_A_ROUND = 1024 * 1024 };

struct source_ops {
	struct node_type type;

	/* Reads into buffers of node->pool and puts views, at most node->quota bytes, without waiting. One recv or read a
	 * stream. Stops where out or the pool gives no room. Sets node->ended when nothing will ever come any more. */
	void (*read)(struct node *node, struct batch *out);

	/* Begins to end: no new streams; sockets are read until they end or have been silent for 200 ms, at most until
	 * `deadline` (node_now() clock); files stop where they are. Then node->ended. NULL: ended at once. */
	void (*drain)(struct node *node, uint64_t deadline);

	/* node_note()s the position of every stream that it has read. NULL: it keeps no positions. */
	void (*note)(struct node *node);

	/* Everything up to node_noted() of each stream is safe. */
	void (*commit)(struct node *node);

	uint32_t (*streams)(
		const struct node *node); /* how many numbers it needs for its streams; NULL: one */
	uint32_t (*concurrent)(
		const struct node *node); /* how many may be under way at once; NULL: as many */
	/* What the stream brings is malformed, and passed over from now on: closes its connection; the stream still ends
	 * as any other. NULL: there is nothing to close. */
	void (*refuse)(struct node *node, uint32_t stream);
	/* Puts what it has read already, begins to read nothing, and lets go of what it holds of its pool; true once all
	 * that is done. It may then go on in another pipeline, from where it is. Without `out` nothing can be put any
	 * more: what was read and not put is to be read again. NULL: it cannot rest. */
	bool (*rest)(struct node *node, struct batch *out);
	/* True if it reads the file of one of these normal paths (config/path.h), or would if it were there. NULL: it
	 * reads no files. */
	bool (*reads)(const struct node *node, const char *const *paths, size_t count);
	bool sockets; /* its streams are connections: an unterminated last record is completed */
	bool shards;  /* it can be opened several times: the kernel divides what comes */
	bool patient; /* what it does not read at once waits in the kernel, which keeps more than a queue would hold */

	/* Allows at most this many connections, for the reason given (static). False, and nothing done, if its user has
	 * set how many. NULL: it has no such option. */
	bool (*lower)(struct node *node, uint32_t connections, const char *why);
};

/* What is to be said of a stream whose bytes are passed over: up to where, and what for. */
enum passing {
	PASSING_RECORD, /* the record that it is in was counted, and its end is still to come */
	PASSING_LOST,   /* the same, but nobody has counted the record */
	PASSING_STREAM  /* nothing that it still brings means anything */
};

struct passed {
	enum passing what;
	struct scan scan; /* where in the record the stream is */
};

/* Bytes, whose view is the taker's then (its tag: VIEW_END, VIEW_BROKEN), and what is to be said if they cannot be kept
 * (NULL: nothing is known of them); or no view, and what is passed over. */
typedef void hand_back(
	void *context, uint32_t stream, struct view *view, const struct passed *passed);

struct stage_ops {
	struct node_type type;
	void (*process)(struct node *node, struct batch *in, struct batch *out);

	/* Gives out what it holds back, as far as it may without harm (compress ends its frame; split cannot end a record:
	 * it tells with node_hold_back() how much it keeps). True when done; false: out is full, call again. NULL: it
	 * never holds anything. */
	bool (*settle)(struct node *node, struct batch *out);

	/* Its input has ended: lets even what is unfinished go. True when done. NULL: as settle. */
	bool (*end)(struct node *node, struct batch *out);

	/* Gives away what it holds of unfinished records, stream by stream and in order, and forgets them. NULL: it holds
	 * none. */
	void (*hand_back)(struct node *node, hand_back *take, void *context);

	/* Passes over what a stage of another pipeline was at in this stream; `alike`: that one had the same options, or
	 * else a record's end may not be known, and all that the stream still brings is passed over. False: it has
	 * something to do before, call again. NULL: it knows no records. */
	bool (*pass_over)(
		struct node *node, uint32_t stream, const struct passed *passed, bool alike);
};

struct sink_ops {
	struct node_type type;

	/* Begins to write what is ready, unless it is at it; takes views out of `in` when they are written and keeps
	 * node->safe. */
	void (*write)(struct node *node, struct batch *in);

	/* Its input has ended and is empty: finishes (syncs, closes). True when done. NULL: at once. */
	bool (*end)(struct node *node);

	/* The path that it writes to at a time (seconds since 1970). False if none can be told. NULL: it writes no
	 * file. */
	bool (*writes)(const struct node *node, int64_t time, char path[PATH_MAX]);

	/* Closes its file and opens the path again, at a record's border. NULL: it has no file. */
	void (*reopen)(struct node *node);

	/* Halted, with nothing in flight: true if what lies in `in` is all that it has not written, from a record's
	 * border on, so that another sink can write it. NULL: it never is. */
	bool (*leave)(struct node *node);
};

enum node_role { NODE_SOURCE, NODE_STAGE, NODE_TEE, NODE_SINK };

/* What went wrong outside, and is tried again. */
enum error_reason {
	ERROR_OPEN,
	ERROR_READ,
	ERROR_WRITE,
	ERROR_SYNC,
	ERROR_CONNECT,
	ERROR_ACCEPT,
	ERROR_REASONS
};

/* The reason's name in metrics ("connect"). */
const char *error_reason_name(enum error_reason reason);

/* The accounts of a node. What enters and leaves is counted by its batches; here is what is neither. */
struct account {
	uint64_t filtered;              /* records that a filter did not keep */
	uint64_t dropped[DROP_REASONS]; /* records */
	uint64_t found;                 /* split: records that it found, kept or dropped */
	uint64_t held;                  /* records inside the node (in an open frame) */
	uint64_t truncated;             /* records that were cut to max_record */
	uint64_t peeked;                /* bytes gathered only to be looked at */
	uint64_t received, sent; /* sources: payload bytes read; sinks: payload bytes written */
	uint64_t unread;         /* files that could not be read, wholly or in part */
	uint64_t refused;        /* connections or datagrams of peers that are not allowed */
	uint64_t empty;          /* datagrams without a byte: they are nothing */
	uint64_t kernel_dropped; /* datagrams that the kernel dropped; they were never in */
	uint64_t reconnects;     /* connections made after one was lost or could not be made */
	uint64_t blocked;        /* ms in which what comes before it had to wait for it */
	uint64_t errors[ERROR_REASONS];
	struct copies copies;
};

/* A node's accounts, with what its batches counted, and how it stands. */
struct node_report {
	uint64_t records_in, records_out, bytes_in, bytes_out, held;
	struct account account; /* with what a tee dropped in front of it (when_full) */
	uint64_t connections;   /* sockets that are open */
	uint64_t unread;        /* bytes that there are to read, as far as that is known */
	uint64_t pins;          /* buffers held by what waits in front of it */
	uint64_t down;          /* ms since when a sink cannot write; 0: it can */
	bool up;                /* of a sink or source; false if one of its shards is not */
	bool deaf;              /* of a source that listens, if one of its shards does not */
};

struct node {
	const struct node_type *type;
	enum node_role role;
	const char *name;          /* in full: "errors.filter.2" */
	const struct value *value; /* its configuration, for faults: the value of the kind key */
	struct pipeline *pipeline;
	void *state;
	struct batch *in,
		*out; /* sources have no in, sinks no out; a tee's outs are its branches' */
	const struct framing *framing; /* of what comes in; NULL for bytes and frames */
	struct pool *pool;
	struct loop *loop;
	struct account account;
	uint64_t charge;  /* bytes of memory beside the pool, set by plan() */
	uint32_t threads; /* that it keeps busy beside the worker, set by plan() */
	uint32_t
		pin_quota; /* buffers of the pool that may be pinned by a split's unfinished records, or by
	                       what a source has under read and not put yet (0: not said) */
	uint64_t quota; /* sources: bytes that this read() may bring */
	uint64_t
		due; /* when it wants to be called though nothing moved (node_now() clock); 0: never */
	struct flow_count given; /* what it put out; kept by the engine */
	struct node_report
		past;  /* what those counted that it has replaced, while it was running on */
	uint64_t safe; /* sinks: views of `in` that are written, counted as in->taken.views is */
	uint32_t busy; /* operations in flight; changed by the node */
	bool ended;    /* sources: nothing comes any more. Others: end() is done */
	bool finished; /* the engine's: it has ended, and what it put out is closed */
	bool up;       /* sinks: writing works; sources: listening */
	uint64_t blocked_since; /* the engine's: others wait for it; 0: nobody does */
	uint64_t down_since;    /* the engine's: sinks that are not up; 0: it is */
	bool optional;          /* on a `drop` branch: what it fails to write holds up no commit */
	bool open;              /* the engine's: what open() made is there */
	bool drains;            /* the engine's: a source that was told to end */
	bool rested; /* the engine's: sources that hold nothing of their pool, stages that are settled */
	struct node *heir; /* the engine's: the sink that writes what this one did not */
	bool abandoned;    /* the engine's: a sink that writes nothing more, and has no heir */
	struct batch
		*inherited; /* the engine's: of another sink; before what lies in `in`'s place */
	bool flush; /* codecs: a sink asks that the open frame ends; taken back when it has */
	bool more;  /* sources: bytes are on their way for certain: a file is being read */
	uint32_t first_stream, stream_count; /* sources: the numbers of their streams */
	uint64_t flushed;     /* codecs: views that `out` has got once that frame has left */
	uint64_t connections; /* sockets that are open */
	uint64_t expected;    /* sources: bytes that there are to read; 0: not known */
	char how[160];        /* for explain: "literal over the run" */
	char copies_why[160]; /* for explain: "" or "aside ≤ 2MiB" */
};

/* What the node's kind does, for a node of that role: each ops table begins with its type. */
static inline const struct source_ops *source_ops(const struct node *node)
{
	assert(node->role == NODE_SOURCE);
	return (const void *)node->type;
}

static inline const struct stage_ops *stage_ops(const struct node *node)
{
	assert(node->role == NODE_STAGE);
	return (const void *)node->type;
}

static inline const struct sink_ops *sink_ops(const struct node *node)
{
	assert(node->role == NODE_SINK);
	return (const void *)node->type;
}

/* Makes the node's pipeline ready: an operation has ended, a socket is readable. */
void node_wake(struct node *node);

/* Work for another thread: made once, started again and again, never in flight twice. */
struct node_work;

/* `work` is run on a thread, then `done` on the loop's, which is told whether it ran, and the node is woken. NULL without
 * memory. */
struct node_work *node_work_create(struct node *node, void (*work)(void *owner),
	void (*done)(void *owner, bool ran), void *owner);

/* It must not be in flight. NULL is allowed. */
void node_work_destroy(struct node_work *work);

/* While it is in flight it is counted in node->busy. */
void node_work_start(struct node_work *work);

/* On the work's thread: the node is woken, though the work goes on. */
void node_work_tell(struct node_work *work);

/* Takes it back if no thread has begun with it; `done` is called either way. */
void node_work_cancel(struct node_work *work);

/* Monotonic milliseconds, as of this turn. */
uint64_t node_now(const struct node *node);

/* Seconds since 1970, by the clock on the wall. A test may stop it; 0 lets it go again. */
int64_t node_time(void);
void node_set_time_for_tests(int64_t seconds);

/* The run must end, with exit 0: standard output was closed by its reader. */
void node_end_run(struct node *node);

/* Counts dropped records. */
void node_drop(struct node *node, enum drop_reason reason, uint64_t records);

/* Counts what went wrong outside. */
void node_error(struct node *node, enum error_reason reason);

/* One event, one line. The text is escaped where it is written; say what changed, not what is normal. */
__attribute__((format(printf, 3, 4))) void node_log(
	struct node *node, enum log_level level, const char *format, ...);

/* A fault at the start: it has no place, but begins with the node's name. Always false. */
__attribute__((format(printf, 4, 5))) bool node_fault(const struct node *node,
	struct faults *faults, const char *remedy, const char *format, ...);

/* Limits a log line to one a second, counting the rest: true if it is time, `missed` gets how many were not said. */
struct log_gate {
	uint64_t next, missed;
};
bool log_gate_open(struct log_gate *gate, uint64_t now, uint64_t *missed);

/* The same for what goes on and on: one a minute. */
bool log_gate_open_slowly(struct log_gate *gate, uint64_t now, uint64_t *missed);

/* One event of many alike: said if it is time, with how many were not said since the last one, if any. */
__attribute__((format(printf, 4, 5))) void node_log_gated(
	struct node *node, struct log_gate *gate, enum log_level level, const char *format, ...);

/* Positions of streams, in bytes from their start (what they mean is the source's business). */
void node_note(struct node *source, uint32_t stream, uint64_t position);
uint64_t node_noted(const struct node *source, uint32_t stream);

/* A stage still holds the last `bytes` bytes of the stream: they are not safe in this epoch. */
void node_hold_back(struct node *stage, uint32_t stream, uint64_t bytes);

/* What a node may know of its pipeline while it plans: the numbers in use for streams, the size of a buffer, and the
 * longest record where a split names none. */
uint32_t node_stream_count(const struct node *node);
uint32_t node_buffer_size(const struct node *node);
uint64_t node_default_max_record(const struct node *node);

/* The memory that all contexts of this node may take: half of the pipeline's, divided among the nodes of its kind. */
uint64_t node_context_memory(const struct node *node);

/* Lets the sources whose connections come to this stage allow at most `most` together. False with faults where their
 * users have set more. */
bool node_lower_connections(
	struct node *stage, uint32_t most, const char *why, struct faults *faults);

/* How many shards of the node's pipeline there are. */
uint32_t node_shards(const struct node *node);

/* Which of them the node is in, from 0. */
uint32_t node_shard(const struct node *node);

/* Whom the sink makes wait right now, because what it has not written leaves no room: their names, as many as fit. False
 * if it is nobody. */
bool node_holds_up(const struct node *sink, char *names, size_t size);

/* The codec that makes the frames that the sink writes; NULL if it writes none. */
struct node *node_frame_maker(const struct node *sink);

/* True if the pipeline has a branch that drops: what it was given may never come back. */
bool node_has_drops(const struct node *node);

/* True if nobody else needs the sink's thread while it writes: there is no other pipeline on it, no sink of another kind
 * and none that drops, and what the sources don't read meanwhile waits. */
bool node_is_alone(const struct node *sink);

/* The source that a stream belongs to. */
struct node *node_source_of(const struct node *node, uint32_t stream);

/* Tells the stream's source that what it brings is malformed, unless it has ended anyway. */
void node_refuse_stream(const struct node *node, uint32_t stream);

/* Plans a stage that takes records and gives records, changing nothing about them. */
bool plan_records_to_records(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults);
