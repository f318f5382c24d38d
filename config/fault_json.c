/* Faults as a program reads them. */
#include "config/fault.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "config/utf8.h"

/* The configuration is read before any data flows: without memory the process ends. */
static void *not_null(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

/* File names need not be UTF-8; JSON must be. */
static cJSON *json_string(const char *text)
{
	if (text == NULL)
		return not_null(cJSON_CreateNull());
	size_t size = strlen(text);
	for (size_t at = 0, length; at < size; at += length) {
		length = utf8_sequence(text + at, size - at, NULL);
		if (length != 0)
			continue;
		char *visible = not_null(utf8_visible_text(text, size));
		cJSON *item = not_null(cJSON_CreateString(visible));
		free(visible);
		return item;
	}
	return not_null(cJSON_CreateString(text));
}

static cJSON *json_place(const struct fault *fault, uint32_t number)
{
	return not_null(fault->file == NULL ? cJSON_CreateNull() : cJSON_CreateNumber(number));
}

static cJSON *json_fault(const struct fault *fault)
{
	cJSON *object = not_null(cJSON_CreateObject());
	cJSON_AddItemToObject(object, "file", json_string(fault->file));
	cJSON_AddItemToObject(object, "line", json_place(fault, fault->line));
	cJSON_AddItemToObject(object, "column", json_place(fault, fault->column));
	cJSON_AddItemToObject(object, "pointer", json_string(fault->pointer));
	cJSON_AddItemToObject(object, "message", json_string(fault->message));
	cJSON_AddItemToObject(object, "remedy", json_string(fault->remedy));
	cJSON_AddItemToObject(object, "warning", not_null(cJSON_CreateBool(fault->warning)));
	return object;
}

char *faults_json(const struct faults *faults)
{
	cJSON *list = not_null(cJSON_CreateArray());
	for (size_t i = 0; i < faults->count; i++)
		cJSON_AddItemToArray(list, json_fault(&faults->items[i]));
	char *text = cJSON_Print(list);
	cJSON_Delete(list);
	return text;
}
