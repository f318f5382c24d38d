/* The search for slices, for lanes of one kind. A template: slices.c includes it for each, with
 *
 *     LANES(name)   the name with the kind's prefix (lanes.h)
 *     BLOCK         the register's type
 *     TARGET, SIZE, SHIFT, ALL
 */

/* The buckets that each place from `at` on may belong to; of sixteen, both halves at once. */
static inline __attribute__((always_inline)) TARGET BLOCK LANES(buckets)(
	const struct slices *slices, const char *at, int bytes, int halves)
{
	BLOCK found[2] = { LANES(fill)(0xff), LANES(fill)(0xff) };
	for (int i = 0; i < bytes; i++) {
		BLOCK lanes = LANES(load)(at + i);
		BLOCK low = LANES(low)(lanes), high = LANES(high)(lanes);
		for (int half = 0; half < halves; half++) {
			BLOCK by_low = LANES(look_up)(LANES(table)(slices->low[half][i]), low);
			BLOCK by_high = LANES(look_up)(LANES(table)(slices->high[half][i]), high);
			found[half] = LANES(and)(found[half], LANES(and)(by_low, by_high));
		}
	}
	return halves == 1 ? found[0] : LANES(or)(found[0], found[1]);
}

static inline __attribute__((always_inline)) TARGET const char *LANES(search)(
	const struct slices *slices, const char *data, size_t places, slices_check *check,
	const void *context, int bytes, int halves)
{
	if (places < SIZE)
		return search_each(slices, data, places, check, context);
	const char *last = data + places - SIZE; /* registers begin here at the latest */
	for (const char *at = data;; at += SIZE) {
		at = at < last ? at : last;
		BLOCK none = LANES(same)(LANES(buckets)(slices, at, bytes, halves), LANES(fill)(0));
		uint64_t mask = LANES(mask)(none) ^ ALL;
		const char *found = mask ? check(context, at, mask, SHIFT) : NULL;
		if (found || at == last)
			return found;
	}
}

#define SHAPE(bytes, halves)                                                                       \
	static TARGET const char *LANES(search_##bytes##_##halves)(const struct slices *slices,    \
		const char *data, size_t places, slices_check *check, const void *context)         \
	{                                                                                          \
		return LANES(search)(slices, data, places, check, context, bytes, halves);         \
	}
SHAPE(1, 1)
SHAPE(2, 1)
SHAPE(3, 1)
SHAPE(4, 1)
SHAPE(1, 2)
SHAPE(2, 2)
SHAPE(3, 2)
SHAPE(4, 2)

static slices_search *const LANES(searches)[2][SLICES_MOST_BYTES] = {
	{ LANES(search_1_1), LANES(search_2_1), LANES(search_3_1), LANES(search_4_1) },
	{ LANES(search_1_2), LANES(search_2_2), LANES(search_3_2), LANES(search_4_2) },
};

#undef SHAPE
#undef LANES
#undef BLOCK
#undef TARGET
#undef SIZE
#undef SHIFT
#undef ALL
