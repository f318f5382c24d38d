/* Gathering: the ready views of a batch as an iovec for one send or write, with neighbours joined
 * into one entry.
 *
 * The views stay in the batch until they are written: gather_written() says how far the kernel got,
 * keeps the part of a view that was written, and takes whole views out only at a record's end, so
 * that a sink that reconnects can start again at a record's border.
 */
#pragma once

#include "pipeline/flow/batch.h"
#include "pipeline/io/loop.h"

struct framing;

struct gather {
	struct iovec *pieces;
	uint32_t count;
	uint64_t bytes; /* that the pieces hold */

	/* Bytes of the batch's first views that are written, but not taken out yet. */
	uint64_t written;

	/* What was written last lacks its delimiter: it comes before anything else. Set it where a
	 * stream is continued that ends so, clear it where a new one begins. */
	bool owes_delimiter;
	uint32_t delimiter_written;    /* bytes of it that are written already */
	const struct framing *framing; /* of the last fill */
};

/* Memory for IO_MOST_PIECES pieces. */
bool gather_open(struct gather *gather);
void gather_close(struct gather *gather);
size_t gather_cost(void);

/* Points the pieces at what is ready in the batch behind what is written: at most `most` bytes
 * (but at least one view) and IO_MOST_PIECES pieces. A delimiter (of `framing`; NULL: none) is
 * put between a bare record and the record behind it, and counts in neither's bytes. The number
 * of bytes; 0 if there is nothing. Nothing is taken from the batch but empty views that lie
 * first (the ends of streams); the views in the pieces are lent until gather_written() or
 * gather_restart(). */
uint64_t gather_fill(
	struct gather *gather, struct batch *batch, const struct framing *framing, uint64_t most);

/* `bytes` of what gather_fill() gave were written: drops the views of whole records that are
 * written entirely, and the empty views behind them. Gives the records that this completed.
 * Until it is called, views may have been put, and the last may have grown. */
uint64_t gather_written(struct gather *gather, struct batch *batch, uint64_t bytes);

/* Forgets the part of a record, or of an owed delimiter, that was written: what is sent next
 * starts at a record's border. Whole records of a run that were written stay written: they are
 * found with `framing` (NULL, and for bytes and frames: the run's start). Gives the records that
 * are dropped out of the batch as written. A delimiter that is owed stays owed; where a new
 * stream begins, the caller says that it is not. */
uint64_t gather_restart(struct gather *gather, struct batch *batch, const struct framing *framing);
