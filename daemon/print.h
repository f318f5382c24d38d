/* Standard output: what was asked for, and nothing else. */
#pragma once

#include "daemon/exit_status.h"

/* Prints a text (NULL: there was no memory to make it), and says whether it arrived. A reader that has gone is fine. */
enum exit_status print_text(const char *text);

/* The same, with a newline behind it where it has none. */
enum exit_status print_line(const char *text);
