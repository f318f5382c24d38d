/* Masks: 64 bytes as a word with a bit for each, the first byte's the lowest.
 *
 * Which instructions do it is chosen where the program runs: AVX2 where the processor has it, else what the architecture
 * always has (SSE2, NEON), else words of eight bytes. A loop over data is written once, always inlined, with one of these
 * functions as its argument, and stands once for each set of instructions:
 *
 *     MASK_AVX2_CODE static size_t wide(…)  { return loop(mask_equal_avx2, …); }
 *     static size_t plain(…)                { return loop(mask_equal_common, …); }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_INLINE static inline __attribute__((always_inline))

/* A bit for each of the 64 bytes at `data` that is `byte`. */
typedef uint64_t mask_equality(const char *data, char byte);

/* The bit of each byte that an odd number of the marked ones come up to, itself counted: what lies within quotes. */
typedef uint64_t mask_parity(uint64_t marks);

enum mask_set { MASK_PORTABLE, MASK_COMMON, MASK_AVX2 };

/* Eight bytes, the first the lowest. */
MASK_INLINE uint64_t mask_load(const char *data)
{
	const unsigned char *bytes = (const unsigned char *)data;
	return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
	       (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
	       (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* A byte's top bit is set where all of its bits were the wanted one's; one product gathers the eight. */
MASK_INLINE uint64_t mask_equal_portable(const char *data, char byte)
{
	const uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
	uint64_t mask = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t differs = mask_load(data + 8 * (size_t)i) ^ (unsigned char)byte * ones;
		uint64_t same = ~(((differs & low) + low) | differs | low);
		mask |= (((same >> 7) * 0x0102040810204080u) >> 56) << (8 * i);
	}
	return mask;
}

MASK_INLINE uint64_t mask_parity_portable(uint64_t marks)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		marks ^= marks << shift;
	return marks;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define MASK_AVX2_CODE __attribute__((target("avx2,bmi,popcnt,pclmul")))

MASK_INLINE uint64_t mask_equal_16(const char *data, __m128i wanted)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted));
}

MASK_INLINE uint64_t mask_equal_common(const char *data, char byte)
{
	__m128i wanted = _mm_set1_epi8(byte);
	return mask_equal_16(data, wanted) | mask_equal_16(data + 16, wanted) << 16 |
	       mask_equal_16(data + 32, wanted) << 32 | mask_equal_16(data + 48, wanted) << 48;
}

MASK_AVX2_CODE MASK_INLINE uint32_t mask_equal_32(const char *data, __m256i wanted)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)data);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted));
}

MASK_AVX2_CODE MASK_INLINE uint64_t mask_equal_avx2(const char *data, char byte)
{
	__m256i wanted = _mm256_set1_epi8(byte);
	return mask_equal_32(data, wanted) | (uint64_t)mask_equal_32(data + 32, wanted) << 32;
}

/* A product without carries, by all ones. */
MASK_AVX2_CODE MASK_INLINE uint64_t mask_parity_avx2(uint64_t marks)
{
	__m128i product = _mm_clmulepi64_si128(
		_mm_set_epi64x(0, (int64_t)marks), _mm_set1_epi8((char)0xff), 0);
	return (uint64_t)_mm_cvtsi128_si64(product);
}

static inline enum mask_set mask_best(void)
{
	bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
		    __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
	return wide ? MASK_AVX2 : MASK_COMMON;
}

#else

#if defined(__aarch64__)
#include <arm_neon.h>

/* Each lane keeps the bit of its place; pairs are added until eight lanes are a byte. */
MASK_INLINE uint64_t mask_equal_common(const char *data, char byte)
{
	const uint8x16_t places = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	const uint8x16_t wanted = vdupq_n_u8((uint8_t)byte);
	uint8x16_t part[4];
	for (int i = 0; i < 4; i++)
		part[i] = vandq_u8(
			vceqq_u8(vld1q_u8((const uint8_t *)data + 16 * i), wanted), places);
	uint8x16_t sum = vpaddq_u8(vpaddq_u8(part[0], part[1]), vpaddq_u8(part[2], part[3]));
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

#else
#define mask_equal_common mask_equal_portable
#endif

#define MASK_AVX2_CODE
#define mask_equal_avx2 mask_equal_common
#define mask_parity_avx2 mask_parity_portable

static inline enum mask_set mask_best(void)
{
	return MASK_COMMON;
}

#endif
