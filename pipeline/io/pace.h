/* Pace: whether a file takes writes as quickly as memory, so that they may be made on the loop's own thread.
 *
 * A write to the page cache is a copy. Handing it to another thread costs more than it, but a file system that
 * throttles, or waits for its disk, keeps whoever writes. So a write that took long sends those that follow to other
 * threads, for twenty times as long as it took: what the loop loses that way is a twentieth of its time.
 *
 *     quick ──▶ one took long ──▶ others' threads, 20 × as long ──▶ quick, until one takes long
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t quick_from; /* ns; 0: it has always been */
};

/* True if the next write may be made at once. */
bool pace_is_quick(const struct pace *pace, uint64_t now_ns);

/* A write was made at once, from `begin_ns` to `end_ns`, and slept. One that only had to let others run says nothing about
 * its file. */
void pace_took(struct pace *pace, uint64_t begin_ns, uint64_t end_ns);
