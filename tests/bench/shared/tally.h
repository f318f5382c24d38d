/* Tallies: what a measured output holds, in numbers that two outputs can be compared by.
 *
 * `lines` is the sum of a hash of each line, so it is the same in whatever order the lines come, and another one where a
 * line is cut, lost, doubled or mixed with another. `histogram` is a hash of how often each byte occurs: it stays the same
 * where lines are mixed, too, and is all that can be asked of a relay that knows no lines.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally {
	uint64_t bytes, records, lines, histogram;
};

/* A hash of a line, its LF left out. */
uint64_t tally_line(const char *line, size_t size);

/* Adds whole lines; a last one without its LF counts as another line than the same with it. */
void tally_add(struct tally *tally, const char *data, size_t size);

/* "bytes=… records=… lines=… histogram=…" on standard output. */
void tally_print(const struct tally *tally);

#endif
