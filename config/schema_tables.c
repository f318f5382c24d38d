/* Tables are referred to first, and written when all else is. */
#include "config/schema_tables.h"

#include "config/memory.h"
#include "config/option_table.h"
#include "config/sample.h"
#include "config/schema.h"
#include "config/schema_values.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* The table's place; behind the others where it was not met before. */
static size_t place_of(struct schema_tables *tables, const struct option *table)
{
	size_t place = 0;
	while (place < tables->count && tables->items[place].table != table)
		place++;
	return place;
}

cJSON *schema_tables_reference(struct schema_tables *tables, const struct option *table,
	const char *owner, const char *name)
{
	size_t place = place_of(tables, table);
	if (place == tables->count) {
		assert(tables->count < SCHEMA_TABLES_MOST);
		tables->items[place].table = table;
		snprintf(tables->items[place].name, SCHEMA_NAME_ROOM, "%s%s%s", owner,
			owner[0] == '\0' ? "" : ".", name);
		tables->count++;
	}
	return schema_reference(tables->items[place].name);
}

static cJSON *type_schema(
	struct schema_tables *tables, const struct option *option, const char *owner)
{
	if (option->table == NULL)
		return schema_values_of(option);
	cJSON *table = schema_tables_reference(tables, option->table, owner, option->name);
	return option->type == OPTION_SUBTREES ? schema_list_of(table, 1) : table;
}

static cJSON *option_schema(
	struct schema_tables *tables, const struct option *option, const char *owner)
{
	cJSON *object = schema_described(type_schema(tables, option, owner), option->doc);
	const char *standard = option_standard(option);
	if (standard == NULL)
		return object;
	char *json = sample_json(option, standard);
	schema_put(object, "default", cJSON_CreateRaw(json));
	free(json);
	return object;
}

void schema_tables_put(struct schema_tables *tables, cJSON *properties, const struct option *table,
	const char *owner)
{
	for (; table != NULL && table->name != NULL; table++)
		schema_put(properties, table->name, option_schema(tables, table, owner));
}

cJSON *schema_tables_required(const struct option *table)
{
	cJSON *names = memory_needed(cJSON_CreateArray());
	for (; table != NULL && table->name != NULL; table++)
		if (table->required)
			schema_add_name(names, table->name);
	return names;
}

cJSON *schema_tables_object(
	struct schema_tables *tables, const struct option *table, const char *owner)
{
	cJSON *properties = schema_new();
	schema_tables_put(tables, properties, table, owner);
	cJSON *object = schema_closed(properties);
	if (option_requires(table))
		schema_put(object, "required", schema_tables_required(table));
	return object;
}

/* The primary option stands alone only where nothing else is required. */
static bool may_stand_alone(const struct option *table)
{
	const struct option *primary = option_primary(table);
	for (; table->name != NULL; table++)
		if (table->required && table != primary)
			return false;
	return primary != NULL;
}

static cJSON *false_schema(void)
{
	cJSON *object = schema_new();
	schema_put(object, "const", memory_needed(cJSON_CreateFalse()));
	return object;
}

static cJSON *table_schema(
	struct schema_tables *tables, const struct option *table, const char *name)
{
	cJSON *object = schema_tables_object(tables, table, name);
	if (may_stand_alone(table))
		object = schema_either(object, type_schema(tables, option_primary(table), name));
	return option_switch(table) == NULL ? object : schema_either(object, false_schema());
}

/* Tables that are found while others are written come behind them. */
void schema_tables_define(struct schema_tables *tables, cJSON *definitions)
{
	for (; tables->written < tables->count; tables->written++) {
		const char *name = tables->items[tables->written].name;
		schema_put(definitions, name,
			table_schema(tables, tables->items[tables->written].table, name));
	}
}
