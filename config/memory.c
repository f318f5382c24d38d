/* The process ends by assertion: there is nothing to unwind to. */
#include "config/memory.h"

#include <assert.h>

void *memory_needed(void *memory)
{
	assert(memory != NULL);
	return memory;
}

FILE *memory_text_open(char **text, size_t *size)
{
	return memory_needed(open_memstream(text, size));
}

void memory_text_close(FILE *stream)
{
	int closed = fclose(stream);
	assert(closed == 0);
}
