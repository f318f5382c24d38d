/* Lanes: many bytes looked at in one step.
 *
 * What a search needs of a processor's wide registers, under the same names for each kind of them, so that a search is
 * written once as a template (`…_kernel.h`) and compiled for each:
 *
 *     wide      32 bytes   AVX2
 *     block     16 bytes   SSE2, NEON; with SSSE3 and NEON half a byte may be looked up in a table of 16
 *     word       8 bytes   any processor
 *
 * A comparison gives lanes of all ones or all zeros (a word: its highest bit); `mask` makes of them a number with one bit
 * a lane, the first lane's lowest, 2^SHIFT binary places apart; ALL is what all lanes give.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What there is, in the order of what it is worth. */
enum lanes { LANES_WORD, LANES_BLOCK, LANES_TABLE, LANES_WIDE };

/* The best that this processor has. */
enum lanes lanes_best(void);

/* From now on there is nothing better, as on a lesser processor. */
void lanes_limit_for_tests(enum lanes most);

/* "AVX2", "SSSE3", "SSE2", "NEON", or "none". */
const char *lanes_name(void);

#define LANES_INLINE static inline __attribute__((always_inline, unused))

/* Words */

typedef uint64_t lanes_word __attribute__((aligned(1), may_alias));

#define WORD_TARGET
#define WORD_SIZE 8
#define WORD_SHIFT 3

/* The first byte is the lowest. */
LANES_INLINE uint64_t word_load(const void *data)
{
	uint64_t word = *(const lanes_word *)data;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

LANES_INLINE uint64_t word_fill(unsigned char byte)
{
	return byte * UINT64_C(0x0101010101010101);
}

LANES_INLINE uint64_t word_and(uint64_t a, uint64_t b)
{
	return a & b;
}

LANES_INLINE uint64_t word_or(uint64_t a, uint64_t b)
{
	return a | b;
}

/* Exact in every lane: no carry leaves one. */
LANES_INLINE uint64_t word_same(uint64_t a, uint64_t b)
{
	const uint64_t low = word_fill(0x7f), difference = a ^ b;
	return ~(((difference & low) + low) | difference | low);
}

LANES_INLINE uint64_t word_mask(uint64_t lanes)
{
	return lanes;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* 16 bytes */

#define BLOCK_LANES __m128i
#define BLOCK_TARGET
#define BLOCK_SIZE 16
#define BLOCK_SHIFT 0
#define BLOCK_ALL UINT64_C(0xffff)

LANES_INLINE __m128i block_load(const void *data)
{
	return _mm_loadu_si128(data);
}

LANES_INLINE __m128i block_fill(unsigned char byte)
{
	return _mm_set1_epi8((char)byte);
}

LANES_INLINE __m128i block_and(__m128i a, __m128i b)
{
	return _mm_and_si128(a, b);
}

LANES_INLINE __m128i block_or(__m128i a, __m128i b)
{
	return _mm_or_si128(a, b);
}

LANES_INLINE __m128i block_same(__m128i a, __m128i b)
{
	return _mm_cmpeq_epi8(a, b);
}

LANES_INLINE uint64_t block_mask(__m128i lanes)
{
	return (uint32_t)_mm_movemask_epi8(lanes);
}

#define TABLE_TARGET __attribute__((target("ssse3")))

LANES_INLINE __m128i block_table(const unsigned char bytes[16])
{
	return _mm_loadu_si128((const void *)bytes);
}

LANES_INLINE __m128i block_low(__m128i lanes)
{
	return _mm_and_si128(lanes, _mm_set1_epi8(0x0f));
}

LANES_INLINE __m128i block_high(__m128i lanes)
{
	return _mm_and_si128(_mm_srli_epi16(lanes, 4), _mm_set1_epi8(0x0f));
}

LANES_INLINE TABLE_TARGET __m128i block_look_up(__m128i table, __m128i lanes)
{
	return _mm_shuffle_epi8(table, lanes);
}

/* 32 bytes */

#define WIDE_TARGET __attribute__((target("avx2")))
#define WIDE_SIZE 32
#define WIDE_SHIFT 0
#define WIDE_ALL UINT64_C(0xffffffff)

LANES_INLINE WIDE_TARGET __m256i wide_load(const void *data)
{
	return _mm256_loadu_si256(data);
}

LANES_INLINE WIDE_TARGET __m256i wide_fill(unsigned char byte)
{
	return _mm256_set1_epi8((char)byte);
}

LANES_INLINE WIDE_TARGET __m256i wide_and(__m256i a, __m256i b)
{
	return _mm256_and_si256(a, b);
}

LANES_INLINE WIDE_TARGET __m256i wide_or(__m256i a, __m256i b)
{
	return _mm256_or_si256(a, b);
}

LANES_INLINE WIDE_TARGET __m256i wide_same(__m256i a, __m256i b)
{
	return _mm256_cmpeq_epi8(a, b);
}

LANES_INLINE WIDE_TARGET uint64_t wide_mask(__m256i lanes)
{
	return (uint32_t)_mm256_movemask_epi8(lanes);
}

LANES_INLINE WIDE_TARGET __m256i wide_table(const unsigned char bytes[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)bytes));
}

LANES_INLINE WIDE_TARGET __m256i wide_low(__m256i lanes)
{
	return _mm256_and_si256(lanes, _mm256_set1_epi8(0x0f));
}

LANES_INLINE WIDE_TARGET __m256i wide_high(__m256i lanes)
{
	return _mm256_and_si256(_mm256_srli_epi16(lanes, 4), _mm256_set1_epi8(0x0f));
}

LANES_INLINE WIDE_TARGET __m256i wide_look_up(__m256i table, __m256i lanes)
{
	return _mm256_shuffle_epi8(table, lanes);
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define BLOCK_LANES uint8x16_t
#define BLOCK_TARGET
#define BLOCK_SIZE 16
#define BLOCK_SHIFT 2
#define BLOCK_ALL UINT64_C(0x1111111111111111)

LANES_INLINE uint8x16_t block_load(const void *data)
{
	return vld1q_u8(data);
}

LANES_INLINE uint8x16_t block_fill(unsigned char byte)
{
	return vdupq_n_u8(byte);
}

LANES_INLINE uint8x16_t block_and(uint8x16_t a, uint8x16_t b)
{
	return vandq_u8(a, b);
}

LANES_INLINE uint8x16_t block_or(uint8x16_t a, uint8x16_t b)
{
	return vorrq_u8(a, b);
}

LANES_INLINE uint8x16_t block_same(uint8x16_t a, uint8x16_t b)
{
	return vceqq_u8(a, b);
}

/* Four bits a lane, one of which is kept. */
LANES_INLINE uint64_t block_mask(uint8x16_t lanes)
{
	uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4);
	return vget_lane_u64(vreinterpret_u64_u8(narrow), 0) & BLOCK_ALL;
}

#define TABLE_TARGET

LANES_INLINE uint8x16_t block_table(const unsigned char bytes[16])
{
	return vld1q_u8(bytes);
}

LANES_INLINE uint8x16_t block_low(uint8x16_t lanes)
{
	return vandq_u8(lanes, vdupq_n_u8(0x0f));
}

LANES_INLINE uint8x16_t block_high(uint8x16_t lanes)
{
	return vshrq_n_u8(lanes, 4);
}

LANES_INLINE uint8x16_t block_look_up(uint8x16_t table, uint8x16_t lanes)
{
	return vqtbl1q_u8(table, lanes);
}
#endif
