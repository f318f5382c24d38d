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
