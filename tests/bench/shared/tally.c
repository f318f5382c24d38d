/* Tallies: bytes, lines, a hash of the lines in any order, a hash of the bytes in any order. */

#include "tests/bench/shared/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LANES = 4 };

/* Odd, and with about as many ones as zeros. */
static const uint64_t first_factor = 0x9fb21c651e98df25u, second_factor = 0xd6e8feb86659fd93u;

/* The 128 bits of a product, folded. */
static uint64_t fold(uint64_t left, uint64_t right)
{
	const __uint128_t product = (__uint128_t)left * right;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word(const char *data, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, data, size);
	return value;
}

uint64_t tally_line(const char *line, size_t size)
{
	uint64_t hash = first_factor ^ size;
	size_t at = 0;

	for (; size - at >= 16; at += 16)
		hash = fold(hash ^ word(line + at, 8), second_factor ^ word(line + at + 8, 8));
	if (size - at >= 8) {
		hash = fold(hash ^ word(line + at, 8), second_factor);
		at += 8;
	}
	return fold(hash ^ word(line + at, size - at), first_factor);
}

static void add_histogram(struct tally *tally, const char *data, size_t size)
{
	uint64_t counts[LANES][256] = { 0 };

	for (size_t i = 0; i < size; i++)
		counts[i % LANES][(unsigned char)data[i]]++;
	for (uint64_t byte = 0; byte < 256; byte++) {
		uint64_t count = 0;
		for (size_t lane = 0; lane < LANES; lane++)
			count += counts[lane][byte];
		tally->histogram += count * fold(byte ^ first_factor, second_factor);
	}
}

void tally_add(struct tally *tally, const char *data, size_t size)
{
	const char *end = data + size;

	tally->bytes += size;
	add_histogram(tally, data, size);
	while (data < end) {
		const char *feed = memchr(data, '\n', (size_t)(end - data));
		const char *stop = feed ? feed : end;
		tally->lines += tally_line(data, (size_t)(stop - data)) + (feed ? 0 : 1);
		tally->records++;
		data = stop + 1;
	}
}

void tally_print(const struct tally *tally)
{
	printf("bytes=%" PRIu64 " records=%" PRIu64 " lines=%016" PRIx64 " histogram=%016" PRIx64
	       "\n",
		tally->bytes, tally->records, tally->lines, tally->histogram);
}
