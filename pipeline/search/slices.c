/* The tables, and the search for lanes of each kind. */

#include "pipeline/search/slices.h"

#include "pipeline/search/lanes.h"

#include <assert.h>

static void add_byte(struct slices *slices, unsigned bucket, unsigned at, unsigned byte)
{
	unsigned char bit = (unsigned char)(1u << bucket % 8);
	slices->low[bucket / 8][at][byte % 16] |= bit;
	slices->high[bucket / 8][at][byte / 16] |= bit;
}

void slices_add(struct slices *slices, unsigned bucket, const struct byte_class *slice)
{
	assert(bucket < SLICES_MOST_BUCKETS && slices->bytes <= SLICES_MOST_BYTES);
	for (unsigned i = 0; i < slices->bytes; i++)
		for (unsigned word = 0; word < 4; word++)
			for (uint64_t bits = slice[i].bits[word]; bits > 0; bits &= bits - 1)
				add_byte(slices, bucket, i,
					word * 64 + (unsigned)__builtin_ctzll(bits));
}

void slices_clear(struct slices *slices, unsigned bucket)
{
	unsigned char others = (unsigned char)~(1u << bucket % 8);
	for (unsigned i = 0; i < slices->bytes; i++)
		for (unsigned half = 0; half < 16; half++) {
			slices->low[bucket / 8][i][half] &= others;
			slices->high[bucket / 8][i][half] &= others;
		}
}

/* The same for one of its bytes. */
static double share_at(
	const struct slices *slices, unsigned bucket, unsigned at, const double shares[256])
{
	const unsigned char *low = slices->low[bucket / 8][at];
	const unsigned char *high = slices->high[bucket / 8][at];
	double share = 0;
	for (unsigned upper = 0; upper < 16; upper++)
		for (unsigned lower = 0; high[upper] >> bucket % 8 & 1 && lower < 16; lower++)
			share += low[lower] >> bucket % 8 & 1 ? shares[upper * 16 + lower] : 0;
	return share;
}

double slices_share(const struct slices *slices, unsigned bucket, const double shares[256])
{
	double share = 1;
	for (unsigned i = 0; i < slices->bytes; i++)
		share *= share_at(slices, bucket, i, shares);
	return share;
}

/* True if the place is a candidate. */
static bool is_candidate(const struct slices *slices, const char *at)
{
	unsigned found[2] = { 0xff, 0xff };
	for (unsigned i = 0; i < slices->bytes; i++) {
		unsigned byte = (unsigned char)at[i];
		for (unsigned half = 0; half < 2; half++)
			found[half] &= (unsigned)slices->low[half][i][byte % 16] &
				       slices->high[half][i][byte / 16];
	}
	return (found[0] | found[1]) != 0;
}

/* One place after the other. */
static const char *search_each(const struct slices *slices, const char *data, size_t places,
	slices_check *check, const void *context)
{
	for (; places > 0; places--, data++) {
		const char *found = is_candidate(slices, data) ? check(context, data, 1, 0) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

#if defined(__x86_64__) || defined(__aarch64__)

#define LANES(name) block_##name
#define BLOCK BLOCK_LANES
#define TARGET TABLE_TARGET
#define SIZE BLOCK_SIZE
#define SHIFT BLOCK_SHIFT
#define ALL BLOCK_ALL
#include "pipeline/search/slices_kernel.h"

#if defined(__x86_64__)
#define LANES(name) wide_##name
#define BLOCK __m256i
#define TARGET WIDE_TARGET
#define SIZE WIDE_SIZE
#define SHIFT WIDE_SHIFT
#define ALL WIDE_ALL
#include "pipeline/search/slices_kernel.h"
#else
#define wide_searches block_searches
#endif

/* True if a bucket beyond the first eight has a slice. */
static bool has_both_halves(const struct slices *slices)
{
	unsigned any = 0;
	for (unsigned half = 0; half < 16; half++)
		any |= slices->low[1][0][half];
	return any != 0;
}

static slices_search *choose_search(const struct slices *slices)
{
	bool both = has_both_halves(slices);
	if (lanes_best() >= LANES_WIDE)
		return wide_searches[both][slices->bytes - 1];
	return lanes_best() >= LANES_TABLE ? block_searches[both][slices->bytes - 1] : search_each;
}

#else

static slices_search *choose_search(const struct slices *slices)
{
	(void)slices;
	return search_each;
}

#endif

bool slices_are_fast(void)
{
	return lanes_best() >= LANES_TABLE;
}

void slices_settle(struct slices *slices)
{
	assert(slices->bytes > 0 && slices->bytes <= SLICES_MOST_BYTES);
	slices->search = choose_search(slices);
}

const char *slices_find(const struct slices *slices, const char *data, size_t places,
	slices_check *check, const void *context)
{
	return slices->search(slices, data, places, check, context);
}
