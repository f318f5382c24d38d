/* Remainders: whatever is pinned, packed or put aside, a stream's bytes stay what they were, and the quota is kept. */

#include "pipeline/flow/remainder.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 7, BUFFERS = 40, MOST_PIECES = 12, MOST_SIZE = 6000, MOST_VIEWS = 64 };

TestSuite(remainder, .init = chance_begin);

#define HOLDS(condition) cr_assert(condition, "seed %#llx", (unsigned long long)chance_seed())

/* The remainders, and beside them each stream's bytes as they should be. */
struct pair {
	struct remainders real;
	struct pool *pool;
	struct copies copies;
	struct buffer *filling;
	char bytes[STREAMS][MOST_SIZE + 4096];
	size_t sizes[STREAMS];
	bool crowded;    /* others take all free buffers now and then */
	uint32_t waited; /* how often nothing could be added for want of a buffer */
};

static void pair_open(
	struct pair *pair, uint32_t buffer_size, uint32_t aside_blocks, uint32_t quota)
{
	*pair = (struct pair){ .pool = pool_create(BUFFERS, buffer_size) };
	pool_keep_spare(pair->pool, 2);
	bool opened = remainders_open(
		&pair->real, STREAMS, aside_blocks, MOST_PIECES, quota, pair->pool, &pair->copies);
	cr_assert(opened);
}

static void pair_close(struct pair *pair)
{
	remainders_close(&pair->real);
	buffer_release(&pair->filling);
	HOLDS(pool_free(pair->pool) == BUFFERS);
	pool_destroy(pair->pool);
}

static void forget(struct pair *pair, uint32_t stream, size_t size)
{
	remainder_cut(&pair->real, stream, size);
	if (pair->sizes[stream] > size)
		pair->sizes[stream] = size;
}

/* Bytes as one recv brings them: the next ones of the source's current buffer. */
static bool receive(struct pair *pair, uint32_t size, struct view *view)
{
	if (pair->filling && buffer_room(pair->filling) == 0)
		buffer_release(&pair->filling);
	if (!pair->filling)
		pair->filling = pool_take(pair->pool);
	if (!pair->filling)
		return false;
	size = size < buffer_room(pair->filling) ? size : buffer_room(pair->filling);
	for (uint32_t i = 0; i < size; i++)
		buffer_end(pair->filling)[i] = (char)chance(256);
	*view = view_publish(pair->filling, size);
	return true;
}

static enum remainder_result add_view(struct pair *pair, uint32_t stream, struct view *view)
{
	struct buffer *others[BUFFERS] = { 0 };
	uint32_t count = 0;
	if (pair->crowded && chance(6) == 0)
		while ((others[count] = pool_take_spare(pair->pool)))
			count++;
	enum remainder_result result = remainder_add(&pair->real, stream, view);
	while (count > 0)
		buffer_release(&others[--count]);
	return result;
}

static void add(struct pair *pair, uint32_t stream, uint32_t size)
{
	struct view view;
	if (!receive(pair, size, &view)) {
		forget(pair, remainder_largest(&pair->real), 0);
		return;
	}
	const char *data = view.data;
	memcpy(pair->bytes[stream] + pair->sizes[stream], data, view.size);
	uint32_t added = view.size;
	enum remainder_result result = add_view(pair, stream, &view);
	if (result == REMAINDER_WAITS) {
		pair->waited++;
		HOLDS(view.data == data && view.size == added);
		view_drop(&view);
		forget(pair, remainder_largest(&pair->real), 0);
		return;
	}
	HOLDS(view.buffer == NULL);
	pair->sizes[stream] += added;
	HOLDS((result == REMAINDER_OVER) == (pair->real.pinned > pair->real.pin_quota));
	while (pair->real.pinned > pair->real.pin_quota)
		forget(pair, remainder_largest(&pair->real), 0);
}

/* Takes some from the front and compares. */
static void take(struct pair *pair, uint32_t stream, size_t size)
{
	struct view views[MOST_VIEWS];
	size_t at = 0, held = pair->sizes[stream];
	uint32_t pieces = remainder_pieces(&pair->real, stream);
	uint32_t count = remainder_take(&pair->real, stream, size, views);
	HOLDS(count <= pieces);
	for (uint32_t i = 0; i < count; i++) {
		HOLDS(at + views[i].size <= held);
		HOLDS(memcmp(views[i].data, pair->bytes[stream] + at, views[i].size) == 0);
		HOLDS(views[i].tag == 0);
		at += views[i].size;
		view_drop(&views[i]);
	}
	HOLDS(at == (size < held ? size : held));
	pair->sizes[stream] = held - at;
	memmove(pair->bytes[stream], pair->bytes[stream] + at, held - at);
}

static void compare(const struct pair *pair)
{
	size_t largest = 0;
	for (uint32_t i = 0; i < STREAMS; i++) {
		HOLDS(remainder_size(&pair->real, i) == pair->sizes[i]);
		HOLDS(remainder_pieces(&pair->real, i) <= MOST_PIECES);
		largest = pair->sizes[i] > largest ? pair->sizes[i] : largest;
	}
	HOLDS(pair->sizes[remainder_largest(&pair->real)] == largest);
	HOLDS(pair->real.pinned <= pair->real.pin_quota);
}

static void step(struct pair *pair, uint32_t longest)
{
	uint32_t stream = chance(STREAMS);
	size_t size = pair->sizes[stream];
	if (size > MOST_SIZE - longest || chance(12) == 0)
		take(pair, stream, chance(2) ? SIZE_MAX : chance((uint32_t)size + 2));
	else if (chance(20) == 0)
		forget(pair, stream, chance((uint32_t)size + 2));
	else
		add(pair, stream, 1 + chance(longest));
}

/* How often a stream had to wait. */
static uint32_t run(uint32_t buffer_size, uint32_t aside_blocks, uint32_t quota, uint32_t longest)
{
	static struct pair pair;
	pair_open(&pair, buffer_size, aside_blocks, quota);
	pair.crowded = true;
	for (int i = 0; i < 1500; i++) {
		step(&pair, longest);
		compare(&pair);
	}
	for (uint32_t stream = 0; stream < STREAMS; stream++)
		take(&pair, stream, SIZE_MAX);
	HOLDS(pair.real.pinned == 0);
	pair_close(&pair);
	return pair.waited;
}

Test(remainder, keeps_every_stream_as_it_came)
{
	static const uint32_t buffer_sizes[] = { 64, 1000, 4096 };
	uint32_t waited = 0;
	for (size_t b = 0; b < sizeof(buffer_sizes) / sizeof(*buffer_sizes); b++)
		for (uint32_t quota = 1; quota <= BUFFERS / 4; quota += 3) {
			waited += run(buffer_sizes[b], STREAMS, quota, 20);
			waited += run(buffer_sizes[b], 2, quota, 300);
			waited += run(buffer_sizes[b], 1, quota, 2000);
		}
	HOLDS(waited > 0);
}

Test(remainder, nothing_is_copied_below_the_quota)
{
	static struct pair pair;
	pair_open(&pair, 4096, STREAMS, BUFFERS / 4);
	for (uint32_t i = 0; i < 3 * STREAMS; i++)
		add(&pair, i % STREAMS, 100);
	HOLDS(copies_sum(&pair.copies) == 0);
	HOLDS(pair.real.pinned == 1);
	pair_close(&pair);
}

/* Each stream trickles into a buffer that it would pin alone. */
Test(remainder, trickling_streams_pin_no_more_than_the_quota)
{
	static struct pair pair;
	pair_open(&pair, 4096, STREAMS, 3);
	for (uint32_t i = 0; i < STREAMS; i++) {
		add(&pair, i, 10);
		buffer_release(&pair.filling);
		compare(&pair);
	}
	HOLDS(pair.copies.bytes[COPY_ASIDE] == 10 * (STREAMS - 3));
	HOLDS(copies_sum(&pair.copies) == pair.copies.bytes[COPY_ASIDE]);
	for (uint32_t i = 0; i < STREAMS; i++)
		HOLDS(pair.sizes[i] == 10);
	pair_close(&pair);
}

/* Packing puts a copy of a list's first piece right behind its last one: they are no neighbours for that. Streams 2 and 3
 * use up the quota and the only aside block; 0 and 1 share a buffer. */
Test(remainder, packing_keeps_the_order)
{
	static const uint32_t first[] = { 2, 3, 3 }, others[] = { 0, 0, 1 };
	static struct pair pair;
	pair_open(&pair, 4096, 1, 2);
	for (uint32_t i = 0; i < 4 * MOST_PIECES; i++) {
		add(&pair, i < 3 ? first[i] : others[i % 3], 10);
		buffer_release(&pair.filling);
		compare(&pair);
	}
	HOLDS(pair.sizes[0] > pair.sizes[1] && pair.sizes[1] > 10 * MOST_PIECES);
	for (uint32_t stream = 0; stream < STREAMS; stream++)
		take(&pair, stream, SIZE_MAX);
	pair_close(&pair);
}
