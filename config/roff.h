/* Text in a manual page: man(7), for groff and mandoc. */
#pragma once

#include <stdio.h>

/* A text whose words in backticks are set bold; nothing of it is taken for a request or an escape. No line is ended. */
void roff_text(FILE *out, const char *text);

/* A text with its line's end. */
void roff_line(FILE *out, const char *text);

/* Lines as they are, for an example; they end with a newline. */
void roff_example(FILE *out, const char *lines);
