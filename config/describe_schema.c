/* The JSON Schema. It takes every configuration that is read without a fault, and refuses what tables can tell: unknown
 * keys, wrong types, bounds of counts, choices, what is missing.
 */
#include "config/describe.h"

#include "config/json_print.h"
#include "config/memory.h"
#include "config/option_table.h"
#include "config/schema.h"
#include "config/schema_tables.h"
#include "config/schema_values.h"

struct schema {
	cJSON *definitions;
	struct schema_tables tables;
};

static const struct option no_options[] = { OPTIONS_END };

static cJSON *kind_schema(struct schema *schema, const struct described *kind, const char *group)
{
	cJSON *object = kind->options == NULL ? schema_closed(schema_new())
					      : schema_tables_reference(&schema->tables,
							kind->options, group, kind->name);
	return schema_described(object, kind->doc);
}

static void add_alternative(cJSON *alternatives, const char *key)
{
	cJSON *object = schema_new(), *required = memory_needed(cJSON_CreateArray());
	schema_add_name(required, key);
	schema_put(object, "required", required);
	cJSON_AddItemToArray(alternatives, object);
}

static cJSON *bare_names(const struct described *kinds)
{
	cJSON *object = schema_new(), *names = memory_needed(cJSON_CreateArray());
	for (; kinds->name != NULL; kinds++)
		if (!option_requires(kinds->options))
			schema_add_name(names, kinds->name);
	schema_put(object, "enum", names);
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
	schema_put(properties, "name", schema_from_text(name_schema));
	schema_put(properties, "enabled", schema_from_text(enabled_schema));
	for (const struct described *kind = kinds; kind->name != NULL; kind++) {
		schema_put(properties, kind->name, kind_schema(schema, kind, group));
		add_alternative(alternatives, kind->name);
	}
	if (alternative != NULL)
		add_alternative(alternatives, alternative);
	cJSON *object = schema_closed(properties);
	schema_put(object, "oneOf", alternatives);
	return schema_either(object, bare_names(kinds));
}

static void write_nodes(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *definitions = schema->definitions;
	cJSON *source = schema_new(), *sink = schema_new();
	schema_put(source, "stages", schema_reference("stages"));
	schema_put(sink, "stages", schema_reference("stages"));
	schema_put(sink, "to", schema_reference("to"));
	schema_tables_put(&schema->tables, sink, catalogue->branch, "branch");
	schema_put(definitions, "stage",
		node_schema(schema, catalogue->stages, "stages", schema_new(), NULL));
	schema_put(definitions, "source",
		node_schema(schema, catalogue->sources, "sources", source, NULL));
	schema_put(definitions, "sink", node_schema(schema, catalogue->sinks, "sinks", sink, "to"));
	schema_put(definitions, "stages", schema_list_of(schema_reference("stage"), 0));
	schema_put(definitions, "from", schema_one_or_more("source"));
	schema_put(definitions, "to", schema_one_or_more("sink"));
}

static void write_pipeline(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *properties = schema_new();
	schema_put(properties, "from", schema_reference("from"));
	schema_put(properties, "stages", schema_reference("stages"));
	schema_put(properties, "to", schema_reference("to"));
	schema_tables_put(&schema->tables, properties, catalogue->pipeline, "pipeline");
	cJSON *pipeline = schema_closed(properties),
	      *required = schema_tables_required(catalogue->pipeline);
	schema_add_name(required, "from");
	schema_add_name(required, "to");
	schema_put(pipeline, "required", required);
	schema_put(schema->definitions, "pipeline", pipeline);
}

static cJSON *pipelines_schema(void)
{
	cJSON *pipelines = schema_closed(schema_new());
	schema_put(cJSON_GetObjectItemCaseSensitive(pipelines, "patternProperties"),
		"^[a-z][a-z0-9_-]*$", schema_reference("pipeline"));
	schema_put(pipelines, "minProperties", cJSON_CreateNumber(1));
	schema_put_text(pipelines, "description", "The pipelines by their names.");
	return pipelines;
}

/* Lists of bytes by the names of nodes. */
static cJSON *flows_schema(void)
{
	cJSON *flows = schema_closed(schema_new());
	schema_put(cJSON_GetObjectItemCaseSensitive(flows, "patternProperties"),
		"^[a-z][a-z0-9_.-]*$", schema_reference("chunks"));
	return flows;
}

static void write_tests(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *test = schema_tables_object(&schema->tables, catalogue->test, "test");
	cJSON *properties = cJSON_GetObjectItemCaseSensitive(test, "properties");
	cJSON *required = cJSON_GetObjectItemCaseSensitive(test, "required");
	cJSON *out = flows_schema();
	schema_put(out, "minProperties", cJSON_CreateNumber(1));
	schema_put(properties, "in",
		schema_described(schema_either(schema_reference("chunks"), flows_schema()),
			DESCRIBE_TEST_IN));
	schema_put(properties, "out", schema_described(out, DESCRIBE_TEST_OUT));
	schema_add_name(required, "in");
	schema_add_name(required, "out");
	schema_put(schema->definitions, "test", test);
}

static cJSON *root_schema(struct schema *schema, const struct catalogue *catalogue)
{
	cJSON *properties = schema_new();
	const struct option *service = catalogue->service == NULL ? no_options : catalogue->service;
	schema_put(properties, "$schema", schema_from_text("{'type': 'string'}"));
	schema_put(properties, "service",
		schema_tables_reference(&schema->tables, service, "", "service"));
	schema_tables_put(&schema->tables, properties, catalogue->configuration, "configuration");
	schema_put(properties, "pipelines", pipelines_schema());
	if (catalogue->test != NULL)
		schema_put(properties, "tests",
			schema_described(schema_list_of(schema_reference("test"), 0),
				"What comes out of pipelines for what goes in; for `viewduct "
				"test`."));
	cJSON *root = schema_new();
	schema_put_text(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
	schema_put_text(root, "title", "viewduct configuration");
	schema_close(root, properties);
	schema_put(root, "anyOf",
		schema_from_text("[{'required': ['pipelines']}, {'required': ['include']}]"));
	return root;
}

char *describe_schema(const struct catalogue *catalogue)
{
	struct schema schema = { .definitions = schema_new() };
	cJSON *root = root_schema(&schema, catalogue);
	write_pipeline(&schema, catalogue);
	write_nodes(&schema, catalogue);
	if (catalogue->test != NULL)
		write_tests(&schema, catalogue);
	schema_tables_define(&schema.tables, schema.definitions);
	schema_values_define(schema.definitions);
	schema_put(root, "$defs", schema.definitions);
	char *text = json_print(root);
	cJSON_Delete(root);
	return text;
}
