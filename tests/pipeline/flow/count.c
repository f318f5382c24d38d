/* Each set of instructions counts what a look at every byte counts. */

#include "pipeline/flow/count.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static size_t count_slowly(const char *data, size_t size, char byte)
{
	size_t count = 0;
	for (size_t at = 0; at < size; at++)
		count += data[at] == byte;
	return count;
}

/* The data begins anywhere and ends where its memory ends, so that AddressSanitizer sees a look beyond. */
static void check(size_t size, size_t offset, uint32_t share, char byte)
{
	char *memory = malloc(offset + size + 1), *data = memory + offset;
	for (size_t i = 0; i < size; i++)
		data[i] = chance(share) == 0 ? byte : (char)chance(256);
	char *end = realloc(memory, offset + size > 0 ? offset + size : 1);
	data = end + offset;
	size_t count = count_slowly(data, size, byte);
	for (enum mask_set set = MASK_PORTABLE; set <= mask_best(); set++)
		cr_assert_eq(count_byte_by(set, data, size, byte), count, "%zu bytes by %d", size,
			(int)set);
	cr_assert_eq(count_byte(data, size, byte), count);
	free(end);
}

Test(count, every_small_size)
{
	for (size_t size = 0; size < 600; size++)
		check(size, chance(40), 1 + chance(8), '\n');
}

/* A lane is full at 255, and a block of 256 bytes adds eight to it. */
Test(count, nothing_but_hits)
{
	for (size_t size = 4000; size < 20000; size += 61)
		check(size, chance(40), 1, '\n');
}

Test(count, any_byte)
{
	for (int byte = 0; byte < 256; byte++)
		check(1000 + chance(9000), chance(40), 1 + chance(200), (char)byte);
}

static size_t bit(uint64_t mask, unsigned at)
{
	return mask >> at & 1;
}

static void check_masks(mask_equality *equal, mask_parity *parity)
{
	char data[64];
	for (int round = 0; round < 2000; round++) {
		char byte = (char)chance(256);
		size_t odd = 0;
		memset(data, byte, sizeof(data));
		for (unsigned i = 0; i < 64; i++)
			if (chance(3) > 0)
				data[i] = (char)((unsigned)byte ^ 1u << chance(8));
		uint64_t mask = equal(data, byte), within = parity(mask);
		for (unsigned i = 0; i < 64; i++) {
			cr_assert_eq(bit(mask, i), data[i] == byte);
			odd ^= bit(mask, i);
			cr_assert_eq(bit(within, i), odd);
		}
	}
}

static uint64_t equal_portable(const char *data, char byte)
{
	return mask_equal_portable(data, byte);
}

static uint64_t equal_common(const char *data, char byte)
{
	return mask_equal_common(data, byte);
}

static uint64_t parity_portable(uint64_t marks)
{
	return mask_parity_portable(marks);
}

MASK_AVX2_CODE static uint64_t equal_avx2(const char *data, char byte)
{
	return mask_equal_avx2(data, byte);
}

MASK_AVX2_CODE static uint64_t parity_avx2(uint64_t marks)
{
	return mask_parity_avx2(marks);
}

Test(mask, bits_of_equal_bytes_and_their_parity)
{
	check_masks(equal_portable, parity_portable);
	check_masks(equal_common, parity_portable);
	if (mask_best() == MASK_AVX2)
		check_masks(equal_avx2, parity_avx2);
}
