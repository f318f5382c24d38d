/* The schema takes what is read without a fault, and refuses what it can. */
#include "config/describe.h"

#include "tests/config/example.h"
#include "tests/config/judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *schema_parse(void)
{
	char *text = describe_schema(&example_catalogue);
	cJSON *schema = cJSON_Parse(text);
	free(text);
	cr_assert_not_null(schema);
	return schema;
}

static bool accepts(const cJSON *schema, const char *text)
{
	char *json = example_json(text);
	cJSON *item = cJSON_Parse(json);
	cr_assert_not_null(item, "%s", text);
	bool accepted = judge_accepts(schema, schema, item);
	cJSON_Delete(item);
	free(json);
	return accepted;
}

static const char *const good[] = {
	"{'pipelines': {'a': {'from': 'stdin', 'to': 'null'}}}",
	"{'$schema': 'x', '//': 1, '// more': 2, 'pipelines': {'//': 1, 'a-b_1': {'//': 1, 'from': "
	"[{'stdin': {'//': 1}, '//': 1}], 'to': {'null': {}}}}}",
	"{'service': {'memory': '1.5GiB', '//': 1}, 'pipelines': {'a': {'from': {'tcp': ':1'}, "
	"'stages': [], 'to': [{'null': {}, 'when_full': 'drop', 'name': 'x', 'enabled': false}], "
	"'memory': '${MEMORY}'}}}",
	"{'pipelines': {'a': {'from': [{'tcp': {'listen': '[::]:514', 'max_connections': 5}, "
	"'stages': ['filter', {'filter': 'x', 'name': '${NAME}'}]}, 'stdin'], 'to': [{'stages': "
	"[{'filter': ['a']}], 'to': ['null', {'to': 'null'}], 'when_full': '${X}'}, {'tcp': "
	"'${RELAY}'}]}}}",
	"{'pipelines': {'a': {'from': [{'tcp': {'listen': {'$file': 'x'}}}], 'to': {'tcp': "
	"{'$credential': 'x', '//': 1}}}}}",
};

Test(describe_schema, configurations)
{
	cJSON *schema = schema_parse();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(accepts(schema, good[i]), "%s", good[i]);
	cJSON_Delete(schema);
}

static const char *const wrong[] = {
	"{}",
	"[]",
	"{'pipelines': {}}",
	"{'pipelines': {'a': {'from': 'stdin'}}}",
	"{'pipelines': {'a': {'to': 'null'}}}",
	"{'pipelines': {'A': {'from': 'stdin', 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': [], 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': 'tcp', 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': {}, 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': {'stdin': {}, 'tcp': ':1'}, 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': {'stdin': {'x': 1}}, 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': {'stdin': {}, 'when_full': 'drop'}, 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'to': {'null': {}, 'when_full': 'x'}}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'to': {'null': {}, 'to': 'null'}}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'stages': ['grep'], 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'stages': 'filter', 'to': 'null'}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'to': 'null', 'x': 1}}}",
	"{'pipelines': {'a': {'from': 'stdin', 'to': {'null': {}, 'name': 'X'}}}}",
	"{'service': {'memory': 5}, 'pipelines': {'a': {'from': 'stdin', 'to': 'null'}}}",
	"{'x': 1, 'pipelines': {'a': {'from': 'stdin', 'to': 'null'}}}",
};

Test(describe_schema, wrong_configurations)
{
	cJSON *schema = schema_parse();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(accepts(schema, wrong[i]), "%s", wrong[i]);
	cJSON_Delete(schema);
}

static bool options_accepted(const cJSON *schema, const char *options)
{
	char text[1024];
	snprintf(text, sizeof(text),
		"{'pipelines': {'a': {'from': 'stdin', 'stages': [{'filter': %s}], 'to': 'null'}}}",
		options);
	return accepts(schema, text);
}

static bool options_are_read(const char *options)
{
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	bool read = example_parse(&document, options, false, &faults) &&
		    options_read(example_options, document.root, "filter", &state, &faults);
	faults_close(&faults);
	document_close(&document);
	return read;
}

/* What is read, and so must be taken. */
static const char *const good_options[] = {
	"{}",
	"'x'",
	"['x', {'hex': '00'}]",
	"{'hex': '00'}",
	"{'$lines': 'patterns.txt'}",
	"{'flag': true, 'careful': '${A}', 'count': 19, 'any_count': 18446744073709551615}",
	"{'count': '${A}', 'size': '64KiB', 'wait': '0.5h'}",
	"{'on': 'octets', 'path': 'x', 'label': ''}",
	"{'size': '${A}KiB', 'wait': '${A}', 'on': '${A}', 'path': {'$file': 'x'}}",
	"{'delimiter': {'hex': '0D0a', '//': 1}, 'mark': 'x', 'exclude': 'x', 'listen': ':0'}",
	"{'listen': 'systemd:logs'}",
	"{'delimiter': {'hex': '${A}'}, 'mark': {'$file': 'x'}, 'exclude': ['x', 'y']}",
	"{'connect': '[::1]:514', 'retry': {'first': '1ms', 'most': '${A}'}}",
	"{'connect': 'relay:${PORT}', 'contains': {'$lines': '${A}', '//': 1}}",
	"{'contains': [{'hex': {'$file': 'x'}}, {'$credential': 'x'}]}",
	"{'any': ['a', {'not': {'any': [{'contains': 'x'}]}}, ['a'], {'hex': '00'}], 'not': 'x'}",
};

/* What is refused by the tables, and should be by the schema. */
static const char *const wrong_options[] = {
	"5",
	"null",
	"[]",
	"''",
	"{'x': 1}",
	"{'flag': 1}",
	"{'listen': 'systemd:'}",
	"{'listen': 'systemd:a:b'}",
	"{'listen': 'systemd:a b'}",
	"{'connect': 'systemd:logs'}",
	"{'flag': 'true'}",
	"{'count': 0}",
	"{'count': 20}",
	"{'count': 1.5}",
	"{'count': '5'}",
	"{'any_count': -1}",
	"{'size': 5}",
	"{'size': '5'}",
	"{'size': '5kib'}",
	"{'wait': '5S'}",
	"{'on': 'x'}",
	"{'path': 5}",
	"{'path': ['a']}",
	"{'delimiter': ''}",
	"{'delimiter': ['a']}",
	"{'delimiter': {'hex': '0'}}",
	"{'delimiter': {'hex': '00', 'x': 1}}",
	"{'contains': []}",
	"{'contains': ['']}",
	"{'contains': {'$lines': 5}}",
	"{'exclude': []}",
	"{'connect': 'relay'}",
	"{'connect': 514}",
	"{'retry': {'x': 1}}",
	"{'retry': 5}",
	"{'not': {'x': 1}}",
	"{'any': 'x'}",
	"{'any': []}",
	"{'any': [{'not': {'count': 20}}]}",
	"{'label': {'$file': 'x', '$credential': 'y'}}",
	"{'label': {'$file': 5}}",
};

Test(describe_schema, options)
{
	cJSON *schema = schema_parse();
	for (size_t i = 0; i < sizeof(good_options) / sizeof(good_options[0]); i++) {
		cr_expect(options_are_read(good_options[i]), "%s", good_options[i]);
		cr_expect(options_accepted(schema, good_options[i]), "%s", good_options[i]);
	}
	for (size_t i = 0; i < sizeof(wrong_options) / sizeof(wrong_options[0]); i++) {
		cr_expect_not(options_are_read(wrong_options[i]), "%s", wrong_options[i]);
		cr_expect_not(options_accepted(schema, wrong_options[i]), "%s", wrong_options[i]);
	}
	cJSON_Delete(schema);
}

static void check_references(const cJSON *root, const cJSON *item)
{
	for (const cJSON *at = item->child; at != NULL; at = at->next) {
		if (at->string != NULL && strcmp(at->string, "$ref") == 0) {
			const char *name = strrchr(at->valuestring, '/') + 1;
			const cJSON *definitions = cJSON_GetObjectItemCaseSensitive(root, "$defs");
			cr_expect(cJSON_HasObjectItem(definitions, name), "%s", name);
		}
		check_references(root, at);
	}
}

Test(describe_schema, form)
{
	char *first = describe_schema(&example_catalogue),
	     *again = describe_schema(&example_catalogue);
	cr_expect_str_eq(first, again);
	static const char start[] =
		"{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n";
	cr_expect_eq(strncmp(first, start, strlen(start)), 0);
	cr_expect_not_null(strstr(first, "\"maximum\": 18446744073709551615"));
	cr_expect_not_null(strstr(first, "\"default\": \"64KiB\""));
	cr_expect_not_null(strstr(first, "\"default\": 3"));
	cr_expect_not_null(strstr(first, "\"description\": \"One of these must hold.\""));
	cr_expect_eq(first[strlen(first) - 1], '\n');
	cr_expect_null(strchr(first, '\t'));
	free(first);
	free(again);
	cJSON *schema = schema_parse();
	check_references(schema, schema);
	cJSON_Delete(schema);
}
