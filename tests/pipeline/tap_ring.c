/* The ring of a tap: what is put comes out, once, in order, or is counted. */
#include "pipeline/tap_ring.h"

#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct copies copies;

/* A sample of this many bytes, all of them `fill`. False if there was no room. */
static bool put(struct tap_ring *ring, uint32_t size, char fill)
{
	static char data[2 * TAP_MOST];

	cr_assert_leq(size, sizeof(data));
	memset(data, fill, size);
	tap_ring_begin(ring, size);
	if (!ring->begun)
		return false;
	tap_ring_add(ring, data, size / 3, &copies);
	tap_ring_add(ring, data + size / 3, size - size / 3, &copies);
	tap_ring_publish(ring, (struct content){ .size = size });
	return true;
}

static void expect_next(struct tap_ring *ring, uint32_t size, char fill)
{
	cr_assert_not(tap_ring_is_empty(ring));
	const struct sample sample = tap_ring_take(ring);

	cr_assert_eq(sample.size, size < TAP_MOST ? size : TAP_MOST);
	cr_assert_eq(sample.whole, size);
	for (uint32_t i = 0; i < sample.size; i++)
		cr_assert_eq(sample.data[i], fill);
	tap_ring_let_go(ring);
}

Test(tap_ring, round_and_round)
{
	struct tap_ring *ring = aligned_alloc(TAP_ALIGNED, sizeof(*ring));
	uint32_t most = 0;

	*ring = (struct tap_ring){ 0 };
	chance_begin_with(1);
	for (int i = 0; i < 2000; i++) {
		uint32_t sizes[64], count = 0;
		const uint32_t wanted = chance(64);
		while (count < wanted) {
			sizes[count] = chance(TAP_MOST + 100);
			if (!put(ring, sizes[count], (char)count))
				break;
			count++;
		}
		most = count > most ? count : most;
		for (uint32_t k = 0; k < count; k++)
			expect_next(ring, sizes[k], (char)k);
		cr_assert(tap_ring_is_empty(ring));
	}
	cr_assert_gt(ring->missed, 0, "it was full at times");
	cr_assert_gt(ring->taken, 10 * (uint64_t)TAP_RING);
	cr_assert_gt(most, TAP_RING / (TAP_MOST + 100) - 2);
	free(ring);
}

Test(tap_ring, what_is_not_published_leaves_nothing)
{
	struct tap_ring *ring = aligned_alloc(TAP_ALIGNED, sizeof(*ring));

	*ring = (struct tap_ring){ 0 };
	tap_ring_begin(ring, 100);
	tap_ring_add(ring, "lost", 4, &copies);
	cr_expect(tap_ring_is_empty(ring));
	cr_assert(put(ring, 9, 'k'));
	expect_next(ring, 9, 'k');
	cr_expect(tap_ring_is_empty(ring));
	free(ring);
}

Test(tap_ring, content_ends_where_the_sample_was_cut)
{
	struct tap_ring *ring = aligned_alloc(TAP_ALIGNED, sizeof(*ring));
	char *data = calloc(1, TAP_MOST + 10);

	*ring = (struct tap_ring){ 0 };
	tap_ring_begin(ring, TAP_MOST + 10);
	tap_ring_add(ring, data, TAP_MOST + 10, &copies);
	tap_ring_publish(ring, (struct content){ .offset = 4, .size = TAP_MOST + 5 });
	const struct sample sample = tap_ring_take(ring);
	cr_expect_eq(sample.content, 4);
	cr_expect_eq(sample.content_size, TAP_MOST - 4);
	cr_expect_eq(sample.whole, TAP_MOST + 10);
	free(data);
	free(ring);
}
