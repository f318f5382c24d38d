/* What explain's text and its JSON tell alike. */
#pragma once

#include <stdio.h>

#include "pipeline/plan.h"

/* "newline", "nul", or the delimiter in quotes. */
void explain_framing(FILE *out, const struct framing *framing);

/* "bytes", "records (newline)", "frames" */
void explain_carried(FILE *out, const struct edge *edge);

/* The edge that is told of for a node: what a sink or tee takes, and what any other gives. */
const struct edge *explain_edge(const struct node *node);

/* "bytes", "records" or "frames". */
const char *explain_flow(enum flow_kind kind);

/* The part of the service's memory that is kept for a reload. */
uint64_t explain_reserve(const struct plan *plan);

/* True if a max_record that is not set matters: records go through the pipeline. */
bool explain_has_records(const struct pipeline *pipeline);
