/* A pipeline while it is being planned.
 *
 *     read      the document becomes nodes, names and edges
 *     shapes    every node says what it gives for what it gets
 *     memory    pools and quotas are divided
 *
 * All of it lies in the document's arena. Reading goes on behind a fault, so that all are found in one run: a node whose
 * options are wrong, or whose kind is not known, has no state and is never asked to plan.
 */
#pragma once

#include "pipeline/plan.h"

/* What an edge carries, as far as it is known. */
struct carried {
	struct shape shape;
	bool put;   /* a node has said what it gives */
	bool known; /* false behind a node that could not be asked: then nothing is told from it */
};

struct draft {
	struct pipeline *pipeline;
	const struct document *document;
	struct carried *carried; /* of each edge, in the order of the pipeline's */
	struct node **left_out;  /* disabled: they are checked, and no more */
	size_t left_out_count;
	struct budget budget; /* what it has already */
	bool own_memory;      /* its configuration says how much it may have */
};

/* Reads the value of a pipeline into nodes and edges. */
void read_pipeline(struct draft *draft, const struct value *value, struct faults *faults);

/* Asks each node, in data order, what it gives for what it gets, for the pipeline's max_record. False with faults. */
bool shapes_walk(struct draft *draft, struct faults *faults);

/* Asks what was left out, with an input that suits it. */
void shapes_check_left_out(struct draft *draft, struct faults *faults);

/* True if the row splits streams into records here. */
bool shapes_is_split(const struct node *node);

/* Divides the memory among the pipelines, finds the largest max_record that fits where none is set, and sets rooms and
 * quotas. The drafts have been walked without faults. False with faults. */
bool memory_divide(struct plan *plan, struct draft *drafts, struct faults *faults);

/* Refuses one address or one file for two nodes. */
void conflicts_find(const struct plan *plan, struct faults *faults);

/* Refuses files that are read where they are written. */
void cycles_find(const struct plan *plan, struct faults *faults);
