/* Pieces of a JSON Schema (draft 2020-12). A piece that is given becomes part of the one that comes back, which is the
 * caller's. Without memory the process ends.
 */
#pragma once

#include <cjson/cJSON.h>

/* An empty one, which everything matches. */
cJSON *schema_new(void);

/* A key is put once: a kind and an option beside it cannot have the same name. */
void schema_put(cJSON *object, const char *key, cJSON *item);
void schema_put_text(cJSON *object, const char *key, const char *text);

/* A string behind a list's others: "required", "enum". */
void schema_add_name(cJSON *list, const char *name);

/* Gives it a description, unless `doc` is NULL; returns it. */
cJSON *schema_described(cJSON *object, const char *doc);

/* From JSON with single quotes, which stays readable in C. */
cJSON *schema_from_text(const char *text);

/* What "$defs" holds under this name. */
cJSON *schema_reference(const char *name);

/* Makes `object` the schema of one that knows comments and `properties`, and nothing else; returns it. */
cJSON *schema_close(cJSON *object, cJSON *properties);
cJSON *schema_closed(cJSON *properties);

cJSON *schema_either(cJSON *one, cJSON *other);
cJSON *schema_list_of(cJSON *items, int least);

/* One of `items`, or a list of at least one; the name is of a definition. */
cJSON *schema_one_or_more(const char *name);
