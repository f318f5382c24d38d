/* Comparing plain bytes. */

#include "pipeline/search/literal.h"

#include <string.h>

static unsigned char folded(char byte)
{
	unsigned char value = (unsigned char)byte;
	return value >= 'A' && value <= 'Z' ? value | 0x20 : value;
}

static bool same(const struct literal *literal, const char *data)
{
	if (!literal->fold)
		return memcmp(data, literal->data, literal->size) == 0;
	for (size_t i = 0; i < literal->size; i++)
		if (folded(data[i]) != folded(literal->data[i]))
			return false;
	return true;
}

bool literal_starts(const struct literal *literal, const char *content, size_t size)
{
	return size >= literal->size && same(literal, content);
}

bool literal_ends(const struct literal *literal, const char *content, size_t size)
{
	return size >= literal->size && same(literal, content + size - literal->size);
}

bool literal_equals(const struct literal *literal, const char *content, size_t size)
{
	return size == literal->size && same(literal, content);
}

double literal_share(const struct literal *literal, const double shares[256])
{
	double share = 1;
	for (size_t i = 0; i < literal->size; i++) {
		unsigned char byte = folded(literal->data[i]);
		bool letter = byte >= 'a' && byte <= 'z';
		double other = literal->fold && letter ? shares[byte ^ 0x20] : 0;
		byte = literal->fold ? byte : (unsigned char)literal->data[i];
		share *= shares[byte] + other;
	}
	return share;
}
