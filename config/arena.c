/* An arena is a list of blocks; the newest one is filled from its start. */
#include "config/arena.h"

#include "config/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384, ALIGNMENT = _Alignof(max_align_t) };

struct block {
	struct block *older;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct block *newest;
};

static void *allocate_or_end(size_t size)
{
	return memory_needed(calloc(1, size));
}

struct arena *arena_create(void)
{
	return allocate_or_end(sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	if (arena == NULL)
		return;
	for (struct block *block = arena->newest; block != NULL;) {
		struct block *older = block->older;
		free(block);
		block = older;
	}
	free(arena);
}

static void add_block(struct arena *arena, size_t least)
{
	size_t size = least > BLOCK_SIZE ? least : BLOCK_SIZE;
	struct block *block = allocate_or_end(sizeof(*block) + size);
	block->size = size;
	block->older = arena->newest;
	arena->newest = block;
}

void *arena_allocate(struct arena *arena, size_t size)
{
	assert(arena != NULL);
	assert(size <= PTRDIFF_MAX / 2);
	size_t aligned = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (arena->newest == NULL || arena->newest->size - arena->newest->used < aligned)
		add_block(arena, aligned);
	struct block *block = arena->newest;
	void *memory = block->data + block->used;
	block->used += aligned;
	return memory;
}

char *arena_copy(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_allocate(arena, size + 1);
	if (size > 0)
		memcpy(copy, text, size);
	return copy;
}

char *arena_format_list(struct arena *arena, const char *format, va_list arguments)
{
	assert(format != NULL);
	va_list again;
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	assert(size >= 0);
	char *text = arena_allocate(arena, (size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, format, arguments);
	return text;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = arena_format_list(arena, format, arguments);
	va_end(arguments);
	return text;
}
