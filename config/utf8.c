/* UTF-8, decoded by the table of RFC 3629, section 4. */
#include "config/utf8.h"

#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t sequence_size(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool code_is_allowed(uint32_t code, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	return code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t utf8_sequence(const char *text, size_t size, uint32_t *code)
{
	if (size == 0)
		return 0;
	unsigned char lead = (unsigned char)text[0];
	size_t length = sequence_size(lead);
	if (length == 0 || length > size)
		return 0;
	uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		if ((byte & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte & 0x3fu);
	}
	if (!code_is_allowed(value, length))
		return 0;
	if (code != NULL)
		*code = value;
	return length;
}

/* C0 and C1 controls, and what turns the direction of writing. */
static bool code_controls(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff;
}

size_t utf8_visible(const char *text, size_t size, char shown[VISIBLE_ROOM], size_t *cells)
{
	uint32_t code;
	size_t length = utf8_sequence(text, size, &code);
	if (length == 0 || (code_controls(code) && code < 0x80)) {
		*cells = (size_t)snprintf(shown, VISIBLE_ROOM, "\\x%02x", (unsigned char)text[0]);
		return 1;
	}
	if (code_controls(code)) {
		*cells =
			(size_t)snprintf(shown, VISIBLE_ROOM, "\\u%04x", (unsigned)(code & 0xffff));
		return length;
	}
	memcpy(shown, text, length);
	shown[length] = '\0';
	*cells = 1;
	return length;
}

char *utf8_visible_text(const char *text, size_t size)
{
	char *result = memory_needed(malloc(size * (VISIBLE_ROOM - 1) + 1));
	size_t used = 0, cells;
	for (size_t at = 0; at < size;) {
		char shown[VISIBLE_ROOM];
		at += utf8_visible(text + at, size - at, shown, &cells);
		size_t length = strlen(shown);
		memcpy(result + used, shown, length);
		used += length;
	}
	result[used] = '\0';
	return result;
}
