/* Faults as a program reads them. */
#include "config/fault.h"

#include "config/memory.h"
#include "config/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* File names need not be UTF-8; JSON must be. */
static cJSON *json_string(const char *text)
{
	if (text == NULL)
		return memory_needed(cJSON_CreateNull());
	size_t size = strlen(text);
	for (size_t at = 0, length; at < size; at += length) {
		length = utf8_sequence(text + at, size - at, NULL);
		if (length != 0)
			continue;
		char *visible = utf8_visible_text(text, size);
		cJSON *item = memory_needed(cJSON_CreateString(visible));
		free(visible);
		return item;
	}
	return memory_needed(cJSON_CreateString(text));
}

static cJSON *json_place(const struct fault *fault, uint32_t number)
{
	return memory_needed(fault->file == NULL ? cJSON_CreateNull() : cJSON_CreateNumber(number));
}

static cJSON *json_fault(const struct fault *fault)
{
	cJSON *object = memory_needed(cJSON_CreateObject());
	cJSON_AddItemToObject(object, "file", json_string(fault->file));
	cJSON_AddItemToObject(object, "line", json_place(fault, fault->line));
	cJSON_AddItemToObject(object, "column", json_place(fault, fault->column));
	cJSON_AddItemToObject(object, "pointer", json_string(fault->pointer));
	cJSON_AddItemToObject(object, "message", json_string(fault->message));
	cJSON_AddItemToObject(object, "remedy", json_string(fault->remedy));
	cJSON_AddItemToObject(object, "warning", memory_needed(cJSON_CreateBool(fault->warning)));
	return object;
}

char *faults_json(const struct faults *faults)
{
	cJSON *list = memory_needed(cJSON_CreateArray());
	for (size_t i = 0; i < faults->count; i++)
		cJSON_AddItemToArray(list, json_fault(&faults->items[i]));
	char *text = memory_needed(cJSON_Print(list));
	cJSON_Delete(list);
	return text;
}
