/* Classes of bytes. */

#include "pipeline/search/byte_class.h"

void byte_class_invert(struct byte_class *class)
{
	for (int i = 0; i < 4; i++)
		class->bits[i] = ~class->bits[i];
}

void byte_class_fold(struct byte_class *class)
{
	for (int letter = 'a'; letter <= 'z'; letter++) {
		if (byte_class_has(class, (char)letter))
			byte_class_add(class, (unsigned char)(letter - 'a' + 'A'));
		if (byte_class_has(class, (char)(letter - 'a' + 'A')))
			byte_class_add(class, (unsigned char)letter);
	}
}

void byte_class_add_range(struct byte_class *class, unsigned char first, unsigned char last)
{
	for (unsigned byte = first; byte <= last; byte++)
		byte_class_add(class, (unsigned char)byte);
}

unsigned byte_class_count(const struct byte_class *class)
{
	unsigned count = 0;
	for (int i = 0; i < 4; i++)
		count += (unsigned)__builtin_popcountll(class->bits[i]);
	return count;
}

unsigned char byte_class_lowest(const struct byte_class *class)
{
	unsigned byte = 0;
	while (byte < 255 && !byte_class_has(class, (char)byte))
		byte++;
	return (unsigned char)byte;
}

double byte_class_share(const struct byte_class *class, const double shares[256])
{
	double share = 0;
	for (unsigned word = 0; word < 4; word++)
		for (uint64_t bits = class->bits[word]; bits > 0; bits &= bits - 1)
			share += shares[word * 64 + (unsigned)__builtin_ctzll(bits)];
	return share;
}
