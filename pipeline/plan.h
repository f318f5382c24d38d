/* The plan: what a configuration comes to, node by node, before anything is opened.
 *
 * The planner reads the pipelines of a document, makes the nodes and their states, walks each row once asking every
 * node what it gives for what it gets, divides the memory, and refuses what does not fit, every fault at its place. The
 * engine runs from these tables and explain prints them: they cannot disagree.
 */
#pragma once

#include "config/describe.h"
#include "pipeline/node.h"

/* Where a running daemon can be asked. */
struct admin_options {
	bool enabled;
	struct address listen; /* not set: the usual one */
	const char *socket;    /* NULL: the usual one */
	bool allow_remote;
};

struct service {
	uint64_t memory, buffer, drain, workers;
	unsigned io; /* enum loop_wish */
	struct admin_options admin;
};

extern const struct option service_options[];

/* One way out of a tee. */
struct branch {
	struct batch *in;
	const char *name;          /* "errors.to.1" */
	bool drop;                 /* when_full: "drop" */
	uint64_t dropped;          /* records: when_full */
	struct log_gate gate;      /* for saying so */
	uint32_t pin_limit;        /* of a drop branch: the buffers that it may pin at once */
	const struct value *value; /* its configuration */
};

/* A tee's state. */
struct tee {
	struct branch *branches;
	size_t count;
};

/* An edge: the batch, and who meets there. */
struct edge {
	struct batch batch;
	uint32_t room; /* views */
	enum flow_kind kind;
	struct node *consumer;
	struct node *producer; /* the first of them */
	uint32_t producers;    /* nodes that put here: several where sources meet */
	uint64_t epoch;        /* the last one whose mark was set here */
	uint32_t pin_limit;    /* buffers: what is read ahead never takes the whole pool; 0: none */
};

struct pipeline {
	const char *name;
	const struct value *value;
	uint64_t memory;        /* its own; 0: a share of the service's */
	uint64_t allowance;     /* its own, or an even share of the service's */
	uint32_t shard, shards; /* which of how many of the same name, one behind the other */
	uint32_t worker;        /* the thread that it belongs to */
	struct node **nodes;    /* sources first, then in data order, branch by branch */
	size_t node_count;
	struct edge *edges;
	size_t edge_count;
	uint32_t buffers, buffer_size; /* of its pool */
	uint64_t charges;              /* bytes beside the pool */
	uint64_t max_record;           /* what an unset max_record comes to */
	uint32_t streams;              /* numbers in use, of all sources */
	struct pool *pool;
	struct engine *engine;
	struct run *run; /* the engine's own */
	uint64_t left;   /* bytes that lay unsplit and unwritten in it when it was removed */
};

/* Given each node that was read, it may put another type in the place of its own, before the node is asked to plan. */
typedef void plan_cast(void *context, struct node *node);

struct plan {
	struct service service;
	struct pipeline **pipelines; /* the shards of one stand one behind the other */
	size_t count;
	uint32_t workers; /* threads */
	const struct document *document;
	struct pipeline *own; /* those that were made for it; of `pipelines`, some may be older */
	size_t own_count;
	struct trial *trials; /* the configuration's "tests" */
	size_t trial_count;
	const struct budget *budgets; /* while it is being made, as what follows */
	size_t budget_count;
	bool within;      /* it is to run in what others leave */
	uint64_t spare;   /* what nobody has of the service's memory then */
	const char *only; /* the one pipeline that is planned; NULL: all */
	plan_cast *cast;  /* may be NULL */
	void *cast_context;
};

/* What memory a pipeline (each of its shards) has while others are running; 0: none yet. One that goes on is allowed
 * what it was. */
struct budget {
	const char *pipeline;
	uint64_t memory, allowance;
	uint64_t max_record; /* that it had, where none is set */
	bool fixed;          /* it goes on untouched */
};

/* As plan_create(), but beside what runs: one that goes on untouched keeps what it has; one that takes another's place
 * has what that had, and gets what it needs beyond out of `spare`; new ones get what they need out of
 * that, and share half of what is left then. Where a pipeline names its own memory, that holds, if it is there. */
struct plan *plan_create_within(const struct document *document, const struct budget *budgets,
	size_t count, uint64_t spare, struct faults *faults);

/* Plans one pipeline by itself, with other types in the place of some of its nodes'. */
struct plan *plan_create_cast(const struct document *document, const struct budget *budget,
	plan_cast *cast, void *context, struct faults *faults);

/* The edge that a batch is part of. */
struct edge *edge_of(const struct batch *batch);

/* Plans a document. NULL with faults. `document` must outlive it. The warnings among the faults do not refuse. */
struct plan *plan_create(const struct document *document, struct faults *faults);

/* True if `node` puts into the edge. */
bool node_feeds(const struct node *node, const struct edge *edge);

/* The place of a pipeline of the plan in it. */
size_t plan_number(const struct plan *plan, const struct pipeline *pipeline);

/* The threads that its nodes keep busy beside the worker. */
uint32_t plan_threads(const struct plan *plan);

/* Closes a node, once: what its plan() and open() made is given back, and its state is zeroed. */
void plan_close_node(struct node *node);

/* Closes the nodes that are still open, and frees the plan. NULL is allowed. */
void plan_destroy(struct plan *plan);

/* What explain prints. `backend` and `why` (may be NULL) are of the loop that would run it. Allocated. */
char *plan_explain(const struct plan *plan, const char *backend, const char *why);
char *plan_explain_json(const struct plan *plan, const char *backend, const char *why);

/* The same as a graph, in the language of Graphviz or as a flowchart of Mermaid. Allocated. */
enum graph { GRAPH_NONE, GRAPH_DOT, GRAPH_MERMAID };
char *plan_explain_graph(const struct plan *plan, enum graph graph);

/* Everything that can be configured, for schema, list and reference. */
const struct catalogue *plan_catalogue(void);
