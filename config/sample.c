/* Samples are texts as a user would write them; here they become JSON. */
#include "config/sample.h"

#include "config/memory.h"
#include "config/option_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static bool is_json(const struct option *option, const char *text)
{
	return option->type == OPTION_BOOL || option->type == OPTION_COUNT ||
	       (text[0] != '\0' && strchr("{[\"", text[0]) != NULL);
}

char *sample_json(const struct option *option, const char *text)
{
	if (is_json(option, text))
		return memory_needed(strdup(text));
	cJSON *string = cJSON_CreateString(text);
	char *json = memory_needed(cJSON_PrintUnformatted(string));
	cJSON_Delete(string);
	return json;
}

static const char *sample_for_type(const struct option *option)
{
	switch (option->type) {
	case OPTION_BOOL:
		return "true";
	case OPTION_COUNT:
		return "1";
	case OPTION_SIZE:
		return "64KiB";
	case OPTION_TIME:
		return "5s";
	case OPTION_CHOICE:
		return option->choices[0];
	case OPTION_ADDRESS:
	case OPTION_ADDRESSES:
		return "127.0.0.1:5140";
	case OPTION_STRING:
	case OPTION_STRINGS:
		return option->is_path ? "/var/log/app.log" : "text";
	case OPTION_BYTES:
	case OPTION_BYTES_LIST:
		return "text";
	case OPTION_OBJECT:
	case OPTION_SUBTREE:
	case OPTION_SUBTREES:
		return "{}";
	}
	assert(false);
	return NULL;
}

/* An object of the table's options: its primary one alone. */
static char *sample_of_table(const struct option *option)
{
	const struct option *primary = option_primary(option->table);
	char *inner = primary == NULL ? memory_needed(strdup("{}")) : sample_of(primary), *text;
	if (option->type != OPTION_SUBTREES)
		return inner;
	int size = asprintf(&text, "[%s]", inner);
	free(inner);
	return memory_needed(size < 0 ? NULL : text);
}

char *sample_of(const struct option *option)
{
	if (option->example != NULL)
		return sample_json(option, option->example);
	if (option->standard != NULL)
		return sample_json(option, option->standard);
	if (option->type == OPTION_SUBTREE || option->type == OPTION_SUBTREES)
		return sample_of_table(option);
	if (option->type == OPTION_COUNT && option->least != NULL)
		return sample_json(option, option->least);
	return sample_json(option, sample_for_type(option));
}
