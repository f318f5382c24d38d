/* Classes of bytes: a bit for each byte. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct byte_class {
	uint64_t bits[4];
};

static inline void byte_class_add(struct byte_class *class, unsigned char byte)
{
	class->bits[byte / 64] |= UINT64_C(1) << byte % 64;
}

static inline bool byte_class_has(const struct byte_class *class, char byte)
{
	unsigned char at = (unsigned char)byte;
	return class->bits[at / 64] >> at % 64 & 1;
}

static inline void byte_class_join(struct byte_class *class, const struct byte_class *other)
{
	for (int i = 0; i < 4; i++)
		class->bits[i] |= other->bits[i];
}

void byte_class_invert(struct byte_class *class);

/* Adds the other case of each letter of ASCII in it. */
void byte_class_fold(struct byte_class *class);

/* From a byte to another, both included. */
void byte_class_add_range(struct byte_class *class, unsigned char first, unsigned char last);

/* How many bytes are in it, and the lowest of them. */
unsigned byte_class_count(const struct byte_class *class);
unsigned char byte_class_lowest(const struct byte_class *class);

/* The part of the data that it is expected to be, given each byte's (rarity.h). */
double byte_class_share(const struct byte_class *class, const double shares[256]);
