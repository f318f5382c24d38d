/* An arena: memory that is given out piece by piece and freed all at once.
 *
 * What a configuration allocates lives as long as its document. The pieces are zeroed and aligned for any type. They
 * are never NULL: without memory the process ends, because a configuration is read before any data flows.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena);

void *arena_allocate(struct arena *arena, size_t size);

/* A copy of `size` bytes with a NUL behind it. */
char *arena_copy(struct arena *arena, const char *text, size_t size);

/* printf into the arena. */
__attribute__((format(printf, 2, 3))) char *arena_format(
	struct arena *arena, const char *format, ...);

__attribute__((format(printf, 2, 0))) char *arena_format_list(
	struct arena *arena, const char *format, va_list arguments);
