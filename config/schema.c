/* What schemas are put together from. */
#include "config/schema.h"

#include "config/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *schema_new(void)
{
	return memory_needed(cJSON_CreateObject());
}

void schema_put(cJSON *object, const char *key, cJSON *item)
{
	assert(!cJSON_GetObjectItemCaseSensitive(object, key));
	cJSON_AddItemToObject(object, key, memory_needed(item));
}

void schema_put_text(cJSON *object, const char *key, const char *text)
{
	schema_put(object, key, cJSON_CreateString(text));
}

void schema_add_name(cJSON *list, const char *name)
{
	cJSON_AddItemToArray(list, memory_needed(cJSON_CreateString(name)));
}

cJSON *schema_described(cJSON *object, const char *doc)
{
	if (doc != NULL)
		schema_put_text(object, "description", doc);
	return object;
}

cJSON *schema_from_text(const char *text)
{
	char *json = memory_needed(strdup(text));
	for (char *quote = json; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	cJSON *item = memory_needed(cJSON_Parse(json));
	free(json);
	return item;
}

cJSON *schema_reference(const char *name)
{
	char path[128];
	int size = snprintf(path, sizeof(path), "#/$defs/%s", name);
	assert(size > 0 && (size_t)size < sizeof(path));
	cJSON *object = schema_new();
	schema_put_text(object, "$ref", path);
	return object;
}

cJSON *schema_close(cJSON *object, cJSON *properties)
{
	schema_put_text(object, "type", "object");
	schema_put(object, "properties", properties);
	schema_put(object, "patternProperties", schema_from_text("{'^//': true}"));
	schema_put(object, "additionalProperties", cJSON_CreateFalse());
	return object;
}

cJSON *schema_closed(cJSON *properties)
{
	return schema_close(schema_new(), properties);
}

cJSON *schema_either(cJSON *one, cJSON *other)
{
	cJSON *list = memory_needed(cJSON_CreateArray()), *object = schema_new();
	cJSON_AddItemToArray(list, memory_needed(one));
	cJSON_AddItemToArray(list, memory_needed(other));
	schema_put(object, "anyOf", list);
	return object;
}

cJSON *schema_list_of(cJSON *items, int least)
{
	cJSON *list = schema_new();
	schema_put_text(list, "type", "array");
	schema_put(list, "items", items);
	if (least > 0)
		schema_put(list, "minItems", cJSON_CreateNumber(least));
	return list;
}

cJSON *schema_one_or_more(const char *name)
{
	return schema_either(schema_reference(name), schema_list_of(schema_reference(name), 1));
}
