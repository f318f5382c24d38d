/* How values are written, as patterns: what units.c, bytes.c, secret.c and address.c read. */
#include "config/schema_values.h"

#include "config/memory.h"
#include "config/schema.h"

#include <assert.h>

static const char *const written[][2] = {
	{ "resolved",
		"{'description': 'Known only where it runs: a string with ${NAME}, or a secret.',"
		" 'anyOf': [{'type': 'string', 'pattern': '[$][{]'}, {'$ref': "
		"'#/$defs/secret'}]}" },
	{ "secret",
		"{'description': 'A string that a file or a credential holds.', 'type': 'object',"
		" 'properties': {'$file': {'type': 'string', 'minLength': 1},"
		" '$credential': {'type': 'string', 'minLength': 1}},"
		" 'patternProperties': {'^//': true}, 'additionalProperties': false,"
		" 'oneOf': [{'required': ['$file']}, {'required': ['$credential']}]}" },
	{ "text", "{'anyOf': [{'type': 'string'}, {'$ref': '#/$defs/secret'}]}" },
	{ "boolean", "{'anyOf': [{'type': 'boolean'}, {'$ref': '#/$defs/resolved'}]}" },
	{ "size", "{'anyOf': [{'type': 'string',"
		  " 'pattern': '^[0-9]+([.][0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)$'},"
		  " {'$ref': '#/$defs/resolved'}]}" },
	{ "time", "{'anyOf': [{'type': 'string', 'pattern': '^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$'},"
		  " {'$ref': '#/$defs/resolved'}]}" },
	{ "address", "{'anyOf': [{'type': 'string', 'pattern': ':[0-9]+$'},"
		     " {'$ref': '#/$defs/resolved'}]}" },
	{ "listen", "{'anyOf': [{'type': 'string', 'pattern': ':[0-9]+$|^systemd:[!-9;-~]+$'},"
		    " {'$ref': '#/$defs/resolved'}]}" },
	{ "bytes", "{'anyOf': [{'type': 'string', 'minLength': 1}, {'$ref': '#/$defs/secret'},"
		   " {'type': 'object', 'properties': {'hex': {'anyOf': [{'type': 'string',"
		   " 'pattern': '^([0-9a-fA-F]{2})+$'}, {'$ref': '#/$defs/resolved'}]}},"
		   " 'patternProperties': {'^//': true}, 'additionalProperties': false,"
		   " 'required': ['hex']}]}" },
	{ "bytes_list", "{'anyOf': [{'$ref': '#/$defs/bytes'},"
			" {'type': 'array', 'items': {'$ref': '#/$defs/bytes'}, 'minItems': 1},"
			" {'type': 'object', 'properties': {'$lines': {'$ref': '#/$defs/text'}},"
			" 'patternProperties': {'^//': true}, 'additionalProperties': false,"
			" 'required': ['$lines']}]}" },
	{ "chunks", "{'type': 'array', 'items': {'$ref': '#/$defs/bytes'}}" },
	{ "texts", "{'anyOf': [{'$ref': '#/$defs/text'},"
		   " {'type': 'array', 'items': {'$ref': '#/$defs/text'}, 'minItems': 1}]}" },
};

static cJSON *count_of(const struct option *option)
{
	cJSON *number = schema_new();
	schema_put_text(number, "type", "integer");
	schema_put(number, "minimum", cJSON_CreateRaw(option->least == NULL ? "0" : option->least));
	schema_put(number, "maximum",
		cJSON_CreateRaw(option->most == NULL ? "18446744073709551615" : option->most));
	return schema_either(number, schema_reference("resolved"));
}

static cJSON *choice_of(const struct option *option)
{
	cJSON *choice = schema_new(), *choices = memory_needed(cJSON_CreateArray());
	for (const char *const *at = option->choices; *at != NULL; at++)
		schema_add_name(choices, *at);
	schema_put(choice, "enum", choices);
	return schema_either(choice, schema_reference("resolved"));
}

cJSON *schema_values_of(const struct option *option)
{
	switch (option->type) {
	case OPTION_BOOL:
		return schema_reference("boolean");
	case OPTION_COUNT:
		return count_of(option);
	case OPTION_SIZE:
		return schema_reference("size");
	case OPTION_TIME:
		return schema_reference("time");
	case OPTION_CHOICE:
		return choice_of(option);
	case OPTION_STRING:
		return schema_reference("text");
	case OPTION_BYTES:
		return schema_reference("bytes");
	case OPTION_BYTES_LIST:
		return schema_reference("bytes_list");
	case OPTION_STRINGS:
		return schema_reference("texts");
	case OPTION_ADDRESS:
		return schema_reference(option->passable ? "listen" : "address");
	case OPTION_ADDRESSES:
		return schema_one_or_more("address");
	case OPTION_OBJECT:
	case OPTION_SUBTREE:
	case OPTION_SUBTREES:
		break;
	}
	assert(false);
	return NULL;
}

void schema_values_define(cJSON *definitions)
{
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		schema_put(definitions, written[i][0], schema_from_text(written[i][1]));
}
