/* UTF-8 (RFC 3629), and how text from outside is shown to people. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The bytes (1 to 4) of the valid sequence at the start of `text`; 0 if there is none: cut off, overlong, a surrogate,
 * beyond U+10FFFF. `code` (may be NULL) gets the code point. */
size_t utf8_sequence(const char *text, size_t size, uint32_t *code);

enum { VISIBLE_ROOM = 8 };

/* The first character of `text` (not empty) as it can be shown on a terminal: itself, or an escape where it would
 * control the terminal or is not UTF-8. `shown` gets it with a NUL behind it, `cells` its width. Returns how many bytes
 * of `text` it stands for. */
size_t utf8_visible(const char *text, size_t size, char shown[VISIBLE_ROOM], size_t *cells);

/* All of `text` so. Allocated. */
char *utf8_visible_text(const char *text, size_t size);
