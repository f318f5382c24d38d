/* A judge for the part of JSON Schema that describe_schema() writes. */
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

/* True if the item is as the schema says. `root` is where references start. An unknown keyword fails the test. */
bool judge_accepts(const cJSON *root, const cJSON *schema, const cJSON *item);
