/* The record cursor: walks the records of a batch without taking them.
 *
 * A record that lies in one view is looked at where it lies. One in several views is gathered into scratch, for
 * examination only: what is put out later is the views, never the scratch. Gathered bytes are counted as peeked.
 */
#pragma once

#include "pipeline/flow/batch.h"
#include "pipeline/flow/framing.h"

/* Memory for the largest record, made at start. */
struct scratch {
	char *data;
	size_t size;
	uint64_t peeked; /* bytes gathered so far */
};

bool scratch_open(struct scratch *scratch, size_t size);
void scratch_close(struct scratch *scratch);

/* A record as a condition sees it. */
struct record {
	const char *data; /* its content: without delimiter or prefix */
	size_t size;
	size_t whole;  /* with them */
	size_t before; /* bytes of a prefix */
	bool bare;     /* it came without its delimiter */
};

/* The first record of the batch's first group (batch_group() views). False if there is none. */
bool record_first(const struct batch *batch, const struct framing *framing, struct scratch *scratch,
	struct record *record);

/* The first record of `size` bytes of a view that begins at a record's start; `alone`: they are nothing but it, and
 * `bare` if it lacks its delimiter. */
struct record record_in_run(
	const struct framing *framing, const char *data, size_t size, bool alone, bool bare);

/* Takes the first `whole` bytes, which are one record, out of the batch, as views in `views` (at most `most`): first
 * those with tag 0, then one with tag 1 (and BARE, where it is). The number of views. This is how a record leaves
 * that is in several pieces, or that is one of many in its run. */
uint32_t record_take(struct batch *batch, size_t whole, struct view *views, uint32_t most);
