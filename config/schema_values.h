/* Single values in JSON Schema: each way to write one has a definition ("size", "secret"). */
#pragma once

#include "config/option.h"

#include <cjson/cJSON.h>

/* What an option takes that has no table. */
cJSON *schema_values_of(const struct option *option);

/* Writes the definitions: of each type, and "resolved" (known only where it runs), "chunks" (a list of bytes). */
void schema_values_define(cJSON *definitions);
