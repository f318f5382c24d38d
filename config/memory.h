/* Memory that must be there. A configuration is read before any data flows: without memory for it the process ends, and
 * nobody above has to ask. */
#pragma once

#include <stdio.h>

/* What an allocation returned; never NULL. */
void *memory_needed(void *memory);

/* A stream that writes into `*text`, which is allocated, ends with a NUL, and is there when the stream is closed. */
FILE *memory_text_open(char **text, size_t *size);
void memory_text_close(FILE *stream);
