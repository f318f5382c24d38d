/* Escaping: any text as the inside of a JSON string on one line.
 *
 * Log lines of both formats quote with it, so that what a client, a file name or a header contains can neither break a
 * line nor move a terminal's cursor. Bytes that are no UTF-8 are written as `\\x9f`: visible, and still valid JSON.
 */
#pragma once

#include <stddef.h>

/* Writes `text`, escaped and NUL-terminated, to `to`; what does not fit into `room` is left out, never half a
 * character. Returns the bytes written, without the NUL. `room` is at least 1. */
size_t escape(char *to, size_t room, const char *text);
