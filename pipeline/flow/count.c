/* Lanes that count to 255 and are then emptied. */

#include "pipeline/flow/count.h"

static size_t count_each(const char *data, size_t size, char byte)
{
	size_t count = 0;
	for (size_t at = 0; at < size; at++)
		count += data[at] == byte;
	return count;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The compiler makes of these what the architecture has. */
typedef unsigned char bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

static size_t sum_of(bytes16 counts)
{
	size_t sum = 0;
	for (int i = 0; i < 16; i++)
		sum += counts[i];
	return sum;
}

static size_t count_common(const char *data, size_t size, char byte)
{
	size_t count = 0, at = 0;
	while (size - at >= 16) {
		size_t blocks = smaller((size - at) / 16, 255);
		bytes16 counts = { 0 };
		for (size_t i = 0; i < blocks; i++, at += 16)
			counts -= (bytes16)(*(const bytes16 *)(const void *)(data + at) ==
					    (unsigned char)byte);
		count += sum_of(counts);
	}
	return count + count_each(data + at, size - at, byte);
}

#if defined(__x86_64__)

enum { BLOCK = 256, MOST_BLOCKS = 31 /* before a lane that counts eight a block is full */ };

MASK_AVX2_CODE MASK_INLINE __m256i equal(const char *data, __m256i wanted)
{
	return _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(const void *)data), wanted);
}

/* −1 for each hit in a lane. */
MASK_AVX2_CODE MASK_INLINE __m256i equal_in_block(const char *data, __m256i wanted)
{
	__m256i a = _mm256_add_epi8(equal(data, wanted), equal(data + 32, wanted));
	__m256i b = _mm256_add_epi8(equal(data + 64, wanted), equal(data + 96, wanted));
	__m256i c = _mm256_add_epi8(equal(data + 128, wanted), equal(data + 160, wanted));
	__m256i d = _mm256_add_epi8(equal(data + 192, wanted), equal(data + 224, wanted));
	return _mm256_add_epi8(_mm256_add_epi8(a, b), _mm256_add_epi8(c, d));
}

/* Less than a block: by 32, and what is left as the end of the last 32. */
MASK_AVX2_CODE static size_t count_rest(const char *data, size_t size, char byte)
{
	const __m256i wanted = _mm256_set1_epi8(byte);
	size_t count = 0, at = 0;
	if (size < 32)
		return count_each(data, size, byte);
	for (; size - at >= 32; at += 32)
		count += (size_t)__builtin_popcount(mask_equal_32(data + at, wanted));
	if (at == size)
		return count;
	uint32_t last = mask_equal_32(data + size - 32, wanted);
	return count + (size_t)__builtin_popcount(last >> (32 - (size - at)));
}

MASK_AVX2_CODE static size_t count_avx2(const char *data, size_t size, char byte)
{
	const __m256i wanted = _mm256_set1_epi8(byte), zero = _mm256_setzero_si256();
	__m256i sums = zero;
	size_t at = 0;
	while (size - at >= BLOCK) {
		const char *end = data + at + smaller((size - at) / BLOCK, MOST_BLOCKS) * BLOCK;
		__m256i counts = zero;
		for (const char *block = data + at; block < end; block += BLOCK)
			counts = _mm256_sub_epi8(counts, equal_in_block(block, wanted));
		sums = _mm256_add_epi64(sums, _mm256_sad_epu8(counts, zero));
		at = (size_t)(end - data);
	}
	__m128i half =
		_mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	uint64_t sum = (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
	return sum + count_rest(data + at, size - at, byte);
}

#else
#define count_avx2 count_common
#endif

size_t count_byte_by(enum mask_set set, const char *data, size_t size, char byte)
{
	switch (set) {
	case MASK_AVX2:
		return count_avx2(data, size, byte);
	case MASK_COMMON:
		return count_common(data, size, byte);
	case MASK_PORTABLE:
		break;
	}
	return count_each(data, size, byte);
}

size_t count_byte(const char *data, size_t size, char byte)
{
	return count_byte_by(mask_best(), data, size, byte);
}
