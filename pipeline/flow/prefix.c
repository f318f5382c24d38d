/* Lengths, varints and counts, as scan reads them. */

#include "pipeline/flow/prefix.h"

#include <assert.h>

bool prefix_needed(const struct framing *framing)
{
	return framing->kind == FRAMING_LENGTH || framing->kind == FRAMING_VARINT ||
	       framing->kind == FRAMING_OCTETS || framing->kind == FRAMING_NETSTRING;
}

static uint64_t told(const struct framing *framing, uint64_t content)
{
	return framing->includes_header ? content + framing->size : content;
}

bool prefix_can_tell(const struct framing *framing, uint64_t content)
{
	if (content > FRAMING_MOST)
		return false;
	bool narrow = framing->kind == FRAMING_LENGTH && framing->size < 8;
	return !narrow || told(framing, content) >> (8 * framing->size) == 0;
}

static uint32_t write_length(const struct framing *framing, uint64_t value, char *to)
{
	for (uint32_t i = 0; i < framing->size; i++) {
		uint32_t rank = framing->little ? i : framing->size - 1 - i;
		to[i] = (char)(value >> (8 * rank));
	}
	return framing->size;
}

static uint32_t write_varint(uint64_t value, char *to)
{
	uint32_t size = 0;
	for (; value > 0x7f; value >>= 7)
		to[size++] = (char)(0x80 | (value & 0x7f));
	to[size++] = (char)value;
	return size;
}

static uint32_t write_count(uint64_t value, char behind, char *to)
{
	uint32_t size = 1;
	for (uint64_t rest = value; rest > 9; rest /= 10)
		size++;
	for (uint32_t i = size; i > 0; i--, value /= 10)
		to[i - 1] = (char)('0' + value % 10);
	to[size] = behind;
	return size + 1;
}

uint32_t prefix_write(const struct framing *framing, uint64_t content, char *to)
{
	assert(prefix_can_tell(framing, content));
	switch (framing->kind) {
	case FRAMING_LENGTH:
		return write_length(framing, told(framing, content), to);
	case FRAMING_VARINT:
		return write_varint(content, to);
	case FRAMING_NETSTRING:
		return write_count(content, ':', to);
	default:
		return write_count(content, ' ', to);
	}
}
