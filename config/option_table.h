/* What a table of options says as a whole, and what it says without words. */
#pragma once

#include "config/option.h"

/* The table's primary option; NULL if it has none. */
const struct option *option_primary(const struct option *table);

/* The option that `false` in the table's place switches off: a BOOL named "enabled"; NULL if it has none. */
const struct option *option_switch(const struct option *table);

/* True if something must be given. NULL is a table without options. */
bool option_requires(const struct option *table);

/* What holds where the option is absent, as a user writes it; NULL if that is nothing, or it must be given. */
const char *option_standard(const struct option *option);
