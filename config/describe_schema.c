/* The JSON Schema. It takes every configuration that is read without a fault, and refuses what tables can tell: unknown
 * keys, wrong types, bounds of counts, choices, what is missing.
 *
 * Each option table becomes a definition of its own, so that a table may hold itself.
 */
#include "config/describe.h"

#include "config/json_print.h"
#include "config/memory.h"
#include "config/sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MOST = 64, NAME_ROOM = 96 };

/* A table that has a definition. */
struct definition {
	const struct option *table;
	char name[NAME_ROOM];
};

struct schema {
	cJSON *definitions;
	struct definition tables[TABLES_MOST];
	size_t count, written;
};

/* A key is put once: a kind and an option beside it cannot have the same name. */
static void put(cJSON *object, const char *key, cJSON *item)
{
	assert(!cJSON_GetObjectItemCaseSensitive(object, key));
	cJSON_AddItemToObject(object, key, memory_needed(item));
}

static void put_text(cJSON *object, const char *key, const char *text)
{
	put(object, key, cJSON_CreateString(text));
}

static cJSON *new_object(void)
{
	return memory_needed(cJSON_CreateObject());
}

/* JSON with single quotes, which stays readable in C. */
static cJSON *from_text(const char *text)
{
	char *json = memory_needed(strdup(text));
	for (char *quote = json; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	cJSON *item = memory_needed(cJSON_Parse(json));
	free(json);
	return item;
}

static cJSON *reference(const char *name)
{
	char path[NAME_ROOM + 16];
	snprintf(path, sizeof(path), "#/$defs/%s", name);
	cJSON *object = new_object();
	put_text(object, "$ref", path);
	return object;
}

/* Makes `object` the schema of one that knows comments and `properties`, and nothing else. */
static cJSON *close_object(cJSON *object, cJSON *properties)
{
	put_text(object, "type", "object");
	put(object, "properties", properties);
	put(object, "patternProperties", from_text("{'^//': true}"));
	put(object, "additionalProperties", cJSON_CreateFalse());
	return object;
}

static cJSON *closed_object(cJSON *properties)
{
	return close_object(new_object(), properties);
}

static cJSON *either(cJSON *one, cJSON *other)
{
	cJSON *list = memory_needed(cJSON_CreateArray()), *object = new_object();
	cJSON_AddItemToArray(list, memory_needed(one));
	cJSON_AddItemToArray(list, memory_needed(other));
	put(object, "anyOf", list);
	return object;
}

static cJSON *list_of(cJSON *items, int least)
{
	cJSON *list = new_object();
	put_text(list, "type", "array");
	put(list, "items", items);
	if (least > 0)
		put(list, "minItems", cJSON_CreateNumber(least));
	return list;
}

static const char *const fixed_definitions[][2] = {
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

static const char *table_name(struct schema *schema, const struct option *table, const char *name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (schema->tables[i].table == table)
			return schema->tables[i].name;
	assert(schema->count < TABLES_MOST);
	struct definition *definition = &schema->tables[schema->count++];
	definition->table = table;
	snprintf(definition->name, sizeof(definition->name), "%s", name);
	return definition->name;
}

static cJSON *table_reference(struct schema *schema, const struct option *option, const char *owner)
{
	char name[NAME_ROOM];
	snprintf(name, sizeof(name), "%s.%s", owner, option->name);
	return reference(table_name(schema, option->table, name));
}

static cJSON *count_schema(const struct option *option)
{
	cJSON *number = new_object();
	put_text(number, "type", "integer");
	put(number, "minimum", cJSON_CreateRaw(option->least == NULL ? "0" : option->least));
	put(number, "maximum",
		cJSON_CreateRaw(option->most == NULL ? "18446744073709551615" : option->most));
	return either(number, reference("resolved"));
}

static cJSON *choice_schema(const struct option *option)
{
	cJSON *choice = new_object(), *choices = memory_needed(cJSON_CreateArray());
	for (const char *const *at = option->choices; *at != NULL; at++)
		cJSON_AddItemToArray(choices, memory_needed(cJSON_CreateString(*at)));
	put(choice, "enum", choices);
	return either(choice, reference("resolved"));
}

static cJSON *type_schema(struct schema *schema, const struct option *option, const char *owner)
{
	switch (option->type) {
	case OPTION_BOOL:
		return reference("boolean");
	case OPTION_COUNT:
		return count_schema(option);
	case OPTION_SIZE:
		return reference("size");
	case OPTION_TIME:
		return reference("time");
	case OPTION_CHOICE:
		return choice_schema(option);
	case OPTION_STRING:
		return reference("text");
	case OPTION_BYTES:
		return reference("bytes");
	case OPTION_BYTES_LIST:
		return reference("bytes_list");
	case OPTION_STRINGS:
		return reference("texts");
	case OPTION_ADDRESS:
		return reference(option->passable ? "listen" : "address");
	case OPTION_ADDRESSES:
		return either(reference("address"), list_of(reference("address"), 1));
	case OPTION_OBJECT:
	case OPTION_SUBTREE:
		return table_reference(schema, option, owner);
	case OPTION_SUBTREES:
		return list_of(table_reference(schema, option, owner), 1);
	}
	assert(false);
	return NULL;
}

static const char *default_of(const struct option *option)
{
	if (option->standard != NULL || option->required)
		return option->standard;
	if (option->type == OPTION_CHOICE)
		return option->choices[0];
	return option->type == OPTION_BOOL ? "false" : NULL;
}

static cJSON *option_schema(struct schema *schema, const struct option *option, const char *owner)
{
	cJSON *object = type_schema(schema, option, owner);
	if (option->doc != NULL)
		put_text(object, "description", option->doc);
	if (default_of(option) == NULL)
		return object;
	char *json = sample_json(option, default_of(option));
	put(object, "default", cJSON_CreateRaw(json));
	free(json);
	return object;
}

static void put_options(
	struct schema *schema, cJSON *properties, const struct option *table, const char *owner)
{
	for (; table != NULL && table->name != NULL; table++)
		put(properties, table->name, option_schema(schema, table, owner));
}

static cJSON *required_list(const struct option *table)
{
	cJSON *list = memory_needed(cJSON_CreateArray());
	for (; table != NULL && table->name != NULL; table++)
		if (table->required)
			cJSON_AddItemToArray(list, memory_needed(cJSON_CreateString(table->name)));
	return list;
}

static cJSON *options_object(struct schema *schema, const struct option *table, const char *owner)
{
	cJSON *properties = new_object();
	put_options(schema, properties, table, owner);
	cJSON *object = closed_object(properties), *required = required_list(table);
	if (cJSON_GetArraySize(required) > 0)
		put(object, "required", required);
	else
		cJSON_Delete(required);
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
	cJSON *object = new_object();
	put(object, "const", memory_needed(cJSON_CreateFalse()));
	return object;
}

static cJSON *table_schema(struct schema *schema, const struct option *table, const char *name)
{
	cJSON *object = options_object(schema, table, name);
	if (may_stand_alone(table))
		object = either(object, type_schema(schema, option_primary(table), name));
	return option_switch(table) == NULL ? object : either(object, false_schema());
}

/* Tables that are found while others are written come behind them. */
static void write_tables(struct schema *schema)
{
	for (; schema->written < schema->count; schema->written++) {
		const struct definition *definition = &schema->tables[schema->written];
		put(schema->definitions, definition->name,
			table_schema(schema, definition->table, definition->name));
	}
}

static const struct option no_options[] = { OPTIONS_END };

static cJSON *kind_schema(struct schema *schema, const struct described *kind, const char *group)
{
	char name[NAME_ROOM];
	snprintf(name, sizeof(name), "%s.%s", group, kind->name);
	bool none = kind->options == NULL;
	cJSON *object = none ? closed_object(new_object())
			     : reference(table_name(schema, kind->options, name));
	if (kind->doc != NULL)
		put_text(object, "description", kind->doc);
	return object;
}

static void add_alternative(cJSON *alternatives, const char *key)
{
	cJSON *object = new_object(), *required = memory_needed(cJSON_CreateArray());
	cJSON_AddItemToArray(required, memory_needed(cJSON_CreateString(key)));
	put(object, "required", required);
	cJSON_AddItemToArray(alternatives, object);
}

static bool needs_nothing(const struct described *kind)
{
	for (const struct option *at = kind->options; at != NULL && at->name != NULL; at++)
		if (at->required)
			return false;
	return true;
}

static cJSON *bare_names(const struct described *kinds)
{
	cJSON *object = new_object(), *names = memory_needed(cJSON_CreateArray());
	for (; kinds->name != NULL; kinds++)
		if (needs_nothing(kinds))
			cJSON_AddItemToArray(names, memory_needed(cJSON_CreateString(kinds->name)));
	put(object, "enum", names);
	return object;
}

static const char name_schema[] = "{'description': 'Its name in metrics and messages.',"
				  " 'anyOf': [{'type': 'string', 'pattern': '^[a-z][a-z0-9_-]*$'},"
				  " {'$ref': '#/$defs/resolved'}]}";
static const char enabled_schema[] =
	"{'description': 'False leaves it out.', '$ref': '#/$defs/boolean', 'default': true}";

/* A node: `properties` holds what stands beside its kind. `alternative` (may be NULL) is another key that can be there
 * instead of a kind. */
static cJSON *node_schema(struct schema *schema, const struct described *kinds, const char *group,
	cJSON *properties, const char *alternative)
{
	cJSON *alternatives = memory_needed(cJSON_CreateArray());
	put(properties, "name", from_text(name_schema));
	put(properties, "enabled", from_text(enabled_schema));
	for (const struct described *kind = kinds; kind->name != NULL; kind++) {
		put(properties, kind->name, kind_schema(schema, kind, group));
		add_alternative(alternatives, kind->name);
	}
	if (alternative != NULL)
		add_alternative(alternatives, alternative);
	cJSON *object = closed_object(properties);
	put(object, "oneOf", alternatives);
	return either(object, bare_names(kinds));
}

static void write_nodes(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *definitions = schema->definitions;
	cJSON *source = new_object(), *sink = new_object();
	put(source, "stages", reference("stages"));
	put(sink, "stages", reference("stages"));
	put(sink, "to", reference("to"));
	put_options(schema, sink, catalogue->branch, "branch");
	put(definitions, "stage",
		node_schema(schema, catalogue->stages, "stages", new_object(), NULL));
	put(definitions, "source",
		node_schema(schema, catalogue->sources, "sources", source, NULL));
	put(definitions, "sink", node_schema(schema, catalogue->sinks, "sinks", sink, "to"));
	put(definitions, "stages", list_of(reference("stage"), 0));
	put(definitions, "from", either(reference("source"), list_of(reference("source"), 1)));
	put(definitions, "to", either(reference("sink"), list_of(reference("sink"), 1)));
}

static void write_pipeline(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *properties = new_object();
	put(properties, "from", reference("from"));
	put(properties, "stages", reference("stages"));
	put(properties, "to", reference("to"));
	put_options(schema, properties, catalogue->pipeline, "pipeline");
	cJSON *pipeline = closed_object(properties), *required = required_list(catalogue->pipeline);
	cJSON_AddItemToArray(required, memory_needed(cJSON_CreateString("from")));
	cJSON_AddItemToArray(required, memory_needed(cJSON_CreateString("to")));
	put(pipeline, "required", required);
	put(schema->definitions, "pipeline", pipeline);
}

static cJSON *pipelines_schema(void)
{
	cJSON *pipelines = closed_object(new_object());
	put(cJSON_GetObjectItemCaseSensitive(pipelines, "patternProperties"), "^[a-z][a-z0-9_-]*$",
		reference("pipeline"));
	put(pipelines, "minProperties", cJSON_CreateNumber(1));
	put_text(pipelines, "description", "The pipelines by their names.");
	return pipelines;
}

/* Lists of bytes by the names of nodes. */
static cJSON *flows_schema(void)
{
	cJSON *flows = closed_object(new_object());
	put(cJSON_GetObjectItemCaseSensitive(flows, "patternProperties"), "^[a-z][a-z0-9_.-]*$",
		reference("chunks"));
	return flows;
}

static cJSON *described(cJSON *object, const char *doc)
{
	put_text(object, "description", doc);
	return object;
}

static void write_tests(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *test = options_object(schema, catalogue->test, "test");
	cJSON *properties = cJSON_GetObjectItemCaseSensitive(test, "properties");
	cJSON *required = cJSON_GetObjectItemCaseSensitive(test, "required");
	cJSON *out = flows_schema();
	put(out, "minProperties", cJSON_CreateNumber(1));
	put(properties, "in",
		described(either(reference("chunks"), flows_schema()), DESCRIBE_TEST_IN));
	put(properties, "out", described(out, DESCRIBE_TEST_OUT));
	cJSON_AddItemToArray(required, memory_needed(cJSON_CreateString("in")));
	cJSON_AddItemToArray(required, memory_needed(cJSON_CreateString("out")));
	put(schema->definitions, "test", test);
}

static cJSON *root_schema(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *properties = new_object();
	const struct option *service = catalogue->service == NULL ? no_options : catalogue->service;
	put(properties, "$schema", from_text("{'type': 'string'}"));
	put(properties, "service", reference(table_name(schema, service, "service")));
	put_options(schema, properties, catalogue->configuration, "configuration");
	put(properties, "pipelines", pipelines_schema());
	if (catalogue->test != NULL)
		put(properties, "tests",
			described(list_of(reference("test"), 0),
				"What comes out of pipelines for what goes in; for `viewduct "
				"test`."));
	cJSON *root = new_object();
	put_text(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
	put_text(root, "title", "viewduct configuration");
	close_object(root, properties);
	put(root, "anyOf", from_text("[{'required': ['pipelines']}, {'required': ['include']}]"));
	return root;
}

char *describe_schema(const struct catalogue *catalogue)
{
	struct schema schema = { .definitions = new_object() };
	cJSON *root = root_schema(&schema, catalogue);
	write_pipeline(&schema, catalogue);
	write_nodes(&schema, catalogue);
	if (catalogue->test != NULL)
		write_tests(&schema, catalogue);
	write_tables(&schema);
	for (size_t i = 0; i < sizeof(fixed_definitions) / sizeof(fixed_definitions[0]); i++)
		put(schema.definitions, fixed_definitions[i][0],
			from_text(fixed_definitions[i][1]));
	put(root, "$defs", schema.definitions);
	char *text = json_print(root);
	cJSON_Delete(root);
	return text;
}
