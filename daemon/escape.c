/* Escaping. */
#include "daemon/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The size of the UTF-8 character that `text` begins with (RFC 3629: shortest form, no surrogates, at most U+10FFFF);
 * 0 if it begins with none. */
static size_t character_size(const unsigned char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t size = text[0] < 0x80    ? 1
			    : text[0] >= 0xf0 ? 4
			    : text[0] >= 0xe0 ? 3
			    : text[0] >= 0xc0 ? 2
					      : 0;

	if (size == 0 || text[0] > 0xf4)
		return 0;
	*code = size == 1 ? text[0] : text[0] & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < least[size] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return size;
}

/* Characters that end a line or steer a terminal. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/* One character as it is to be written; returns how many bytes of `text` it was. */
static size_t escape_one(const unsigned char *text, char piece[16])
{
	static const char shorts[] = "\"\"\\\\\nn\tt\rr";
	uint32_t code = 0;
	const size_t size = character_size(text, &code);

	if (size == 0) {
		snprintf(piece, 16, "\\\\x%02x", text[0]);
		return 1;
	}
	for (const char *pair = shorts; *pair; pair += 2)
		if (code == (unsigned char)*pair) {
			snprintf(piece, 16, "\\%c", pair[1]);
			return 1;
		}
	if (is_control(code))
		snprintf(piece, 16, "\\u%04x", code);
	else
		snprintf(piece, 16, "%.*s", (int)size, (const char *)text);
	return size;
}

size_t escape(char *to, size_t room, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	assert(room >= 1);
	while (*at) {
		char piece[16];
		at += escape_one(at, piece);
		const size_t size = strlen(piece);
		if (used + size >= room)
			break;
		memcpy(to + used, piece, size);
		used += size;
	}
	to[used] = '\0';
	return used;
}
