/* Option tables in JSON Schema.
 *
 * Each table becomes a definition of its own, named by where it was met first ("stages.filter", "stages.filter.any"), so
 * that a table may hold itself.
 */
#pragma once

#include "config/option.h"

#include <cjson/cJSON.h>

enum { SCHEMA_TABLES_MOST = 64, SCHEMA_NAME_ROOM = 96 };

/* Begins zeroed. */
struct schema_tables {
	struct {
		const struct option *table;
		char name[SCHEMA_NAME_ROOM];
	} items[SCHEMA_TABLES_MOST];
	size_t count, written;
};

/* A reference to the table's definition: `owner`.`name`, unless it has one already. */
cJSON *schema_tables_reference(struct schema_tables *tables, const struct option *table,
	const char *owner, const char *name);

/* The options of a table (NULL: none) as properties. */
void schema_tables_put(struct schema_tables *tables, cJSON *properties, const struct option *table,
	const char *owner);

/* The names of the table's options that must be given; may be empty. */
cJSON *schema_tables_required(const struct option *table);

/* An object of the table's options. */
cJSON *schema_tables_object(
	struct schema_tables *tables, const struct option *table, const char *owner);

/* Writes the definitions of all that was referred to. */
void schema_tables_define(struct schema_tables *tables, cJSON *definitions);
