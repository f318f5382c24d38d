/* A finder's search, for lanes of one kind. A template: finder.c includes it for each, with
 *
 *     LANES(name)   the name with the kind's prefix (lanes.h)
 *     BLOCK         the register's type
 *     TARGET, SIZE, SHIFT
 *     NARROWER      the search for fewer places than lanes
 */

/* Which of the places from `at` on have both bytes. */
static inline __attribute__((always_inline)) TARGET BLOCK LANES(both)(
	const struct finder *finder, const BLOCK wanted[4], const char *at)
{
	BLOCK first = LANES(or)(LANES(load)(at + finder->first.at), wanted[1]);
	BLOCK second = LANES(or)(LANES(load)(at + finder->second.at), wanted[3]);
	return LANES(and)(LANES(same)(first, wanted[0]), LANES(same)(second, wanted[2]));
}

/* Looks at one register of places. */
static inline __attribute__((always_inline)) TARGET const char *LANES(inspect)(
	const struct finder *finder, const BLOCK wanted[4], const char *at, size_t *effort)
{
	uint64_t mask = LANES(mask)(LANES(both)(finder, wanted, at));
	for (; mask > 0; mask &= mask - 1) {
		const char *place = at + (__builtin_ctzll(mask) >> SHIFT);
		if (is_at(finder, place, effort))
			return place;
	}
	return NULL;
}

/* Four registers of places at a time, while none has a candidate. */
static inline __attribute__((always_inline)) TARGET const char *LANES(skip)(
	const struct finder *finder, const BLOCK wanted[4], const char *at, const char *last)
{
	for (; last - at >= 3 * SIZE; at += 4 * SIZE) {
		BLOCK any = LANES(or)(LANES(or)(LANES(both)(finder, wanted, at),
					      LANES(both)(finder, wanted, at + SIZE)),
			LANES(or)(LANES(both)(finder, wanted, at + 2 * SIZE),
				LANES(both)(finder, wanted, at + 3 * SIZE)));
		if (LANES(mask)(any))
			break;
	}
	return at;
}

static TARGET const char *LANES(search)(
	const struct finder *finder, const char *data, size_t places)
{
	if (places < SIZE)
		return NARROWER(finder, data, places);
	const BLOCK wanted[4] = { LANES(fill)(finder->first.byte),
		LANES(fill)(finder->first.either_case), LANES(fill)(finder->second.byte),
		LANES(fill)(finder->second.either_case) };
	const char *last = data + places - SIZE; /* registers begin here at the latest */
	size_t effort = 0;
	for (const char *at = data;;) {
		at = LANES(skip)(finder, wanted, at, last);
		for (int i = 0; i < 4; i++, at += SIZE) {
			at = at < last ? at : last;
			const char *hit = LANES(inspect)(finder, wanted, at, &effort);
			if (hit || at == last)
				return hit;
		}
		if (is_futile(effort, (size_t)(at - data)))
			return walk(finder, at, places - (size_t)(at - data));
	}
}

#undef LANES
#undef BLOCK
#undef TARGET
#undef SIZE
#undef SHIFT
#undef NARROWER
