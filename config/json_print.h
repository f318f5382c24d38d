/* Printing JSON as this project writes it: indented with two spaces, lists of plain values on one line. */
#pragma once

#include <cjson/cJSON.h>

/* Allocated, with a newline at its end; without memory the process ends. */
char *json_print(const cJSON *item);
