/* What an option's value can look like, for remedies and documentation. */
#pragma once

#include "config/option.h"

/* A value that the option takes, as JSON on one line: its example, its default, or one made for its type. Allocated;
 * without memory the process ends. */
char *sample_of(const struct option *option);

/* Any text as the option's value in JSON: in quotes, unless the type is a number or boolean, or it is JSON already. */
char *sample_json(const struct option *option, const char *text);
