/* Choosing the two bytes, comparing, and the search for lanes of each kind. */

#include "pipeline/search/finder.h"

#include "pipeline/search/lanes.h"
#include "pipeline/search/rarity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHORT_LITERAL = 16, /* bytes: comparing it wherever it may be is linear enough */
	FREE_EFFORT = 256,
	EFFORT_PER_BYTE = 2
};

/* Comparing */

static bool byte_is(const struct finder *finder, size_t at, char byte)
{
	return ((unsigned char)byte | finder->cases[at]) == finder->bytes[at];
}

static bool word_is(const struct finder *finder, size_t at, const char *place)
{
	return (word_load(place + at) | word_load(finder->cases + at)) ==
	       word_load(finder->bytes + at);
}

/* True if the literal is at the place. `effort` grows by the steps that it took. */
static bool is_at(const struct finder *finder, const char *place, size_t *effort)
{
	size_t at = 0;
	if (finder->size < WORD_SIZE) {
		while (at < finder->size && byte_is(finder, at, place[at]))
			at++;
		return at == finder->size;
	}
	while (at + WORD_SIZE < finder->size && word_is(finder, at, place))
		at += WORD_SIZE;
	*effort += 1 + at / WORD_SIZE;
	return at + WORD_SIZE >= finder->size && word_is(finder, finder->size - WORD_SIZE, place);
}

/* True if the search is no longer worth its effort. */
static bool is_futile(size_t effort, size_t bytes)
{
	return effort > FREE_EFFORT + bytes * EFFORT_PER_BYTE;
}

/* Byte by byte, whatever comes: the literal begins at one of `places`. */
static const char *walk(const struct finder *finder, const char *data, size_t places)
{
	assert(finder->fallback && places > 0);
	const char *end = data + places + finder->size - 1;
	size_t right = 0;
	for (; data < end; data++) {
		while (right > 0 && !byte_is(finder, right, *data))
			right = finder->fallback[right - 1];
		right += byte_is(finder, right, *data);
		if (right == finder->size)
			return data + 1 - finder->size;
	}
	return NULL;
}

/* Searching */

/* One place after the other. */
static const char *search_few(const struct finder *finder, const char *data, size_t places)
{
	size_t effort = 0;
	for (size_t i = 0; i < places; i++)
		if (byte_is(finder, finder->first.at, data[i + finder->first.at]) &&
			is_at(finder, data + i, &effort))
			return data + i;
	return NULL;
}

#define LANES(name) word_##name
#define BLOCK uint64_t
#define TARGET WORD_TARGET
#define SIZE WORD_SIZE
#define SHIFT WORD_SHIFT
#define NARROWER search_few
#include "pipeline/search/finder_kernel.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define LANES(name) block_##name
#define BLOCK BLOCK_LANES
#define TARGET BLOCK_TARGET
#define SIZE BLOCK_SIZE
#define SHIFT BLOCK_SHIFT
#define NARROWER word_search
#include "pipeline/search/finder_kernel.h"
#else
#define block_search word_search
#endif

#if defined(__x86_64__)
#define LANES(name) wide_##name
#define BLOCK __m256i
#define TARGET WIDE_TARGET
#define SIZE WIDE_SIZE
#define SHIFT WIDE_SHIFT
#define NARROWER block_search
#include "pipeline/search/finder_kernel.h"
#else
#define wide_search block_search
#endif

static const char *search_byte(const struct finder *finder, const char *data, size_t places)
{
	return memchr(data, finder->bytes[0], places);
}

static finder_search *choose_search(const struct finder *finder)
{
	static finder_search *const searches[] = { word_search, block_search, block_search,
		wide_search };
	if (finder->size == 1 && finder->cases[0] == 0)
		return search_byte;
	return searches[lanes_best()];
}

/* Opening */

static bool is_letter(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static void take_bytes(struct finder *finder, const struct literal *literal)
{
	for (size_t i = 0; i < literal->size; i++) {
		unsigned char byte = (unsigned char)literal->data[i];
		finder->cases[i] = literal->fold && is_letter(byte) ? 0x20 : 0;
		finder->bytes[i] = byte | finder->cases[i];
	}
}

static unsigned how_common(const struct finder *finder, size_t at)
{
	return rarity_commonness(finder->bytes[at], finder->cases[at] != 0);
}

/* The rarest byte but for those that are the same as the one at `other`; if all are, then `other`. */
static size_t rarest(const struct finder *finder, size_t other)
{
	size_t best = other;
	for (size_t i = 0; i < finder->size; i++) {
		if (other < finder->size && finder->bytes[i] == finder->bytes[other])
			continue;
		if (best == other || how_common(finder, i) < how_common(finder, best))
			best = i;
	}
	return best;
}

static struct rare rare_at(const struct finder *finder, size_t at)
{
	return (struct rare){ at, finder->bytes[at], finder->cases[at] };
}

static void choose_bytes(struct finder *finder)
{
	size_t first = rarest(finder, SIZE_MAX), second = rarest(finder, first);
	if (second == first)
		second = finder->size - 1 - first; /* all bytes are the same */
	finder->first = rare_at(finder, first);
	finder->second = rare_at(finder, second);
}

/* For each byte: how many bytes before and with it are also the literal's first ones, fewer than all. */
static void fill_fallback(struct finder *finder)
{
	uint32_t right = 0;
	for (size_t i = 1; i < finder->size; i++) {
		while (right > 0 && finder->bytes[i] != finder->bytes[right])
			right = finder->fallback[right - 1];
		right += finder->bytes[i] == finder->bytes[right];
		finder->fallback[i] = right;
	}
}

bool finder_open(struct finder *finder, const struct literal *literal)
{
	assert(literal->size > 0 && literal->size < UINT32_MAX);
	*finder = (struct finder){ .size = literal->size };
	finder->bytes = calloc(literal->size, 1);
	finder->cases = calloc(literal->size, 1);
	if (literal->size > SHORT_LITERAL)
		finder->fallback = calloc(literal->size, sizeof(*finder->fallback));
	if (!finder->bytes || !finder->cases ||
		(literal->size > SHORT_LITERAL && !finder->fallback)) {
		finder_close(finder);
		return false;
	}
	take_bytes(finder, literal);
	choose_bytes(finder);
	if (finder->fallback)
		fill_fallback(finder);
	finder->search = choose_search(finder);
	return true;
}

void finder_close(struct finder *finder)
{
	free(finder->bytes);
	free(finder->cases);
	free(finder->fallback);
	*finder = (struct finder){ 0 };
}

size_t finder_cost(const struct finder *finder)
{
	return finder->size * (2 + (finder->fallback ? sizeof(*finder->fallback) : 0));
}

const char *finder_find(const struct finder *finder, const char *data, size_t size)
{
	if (size < finder->size)
		return NULL;
	return finder->search(finder, data, size - finder->size + 1);
}
