/* Faults as a program reads them. */
#include "config/fault.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static const cJSON *member(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	cr_assert_not_null(item, "%s", key);
	return item;
}

Test(fault_json, all_that_is_known)
{
	struct faults faults = { 0 }, none = { 0 };
	struct document document;
	static const char text[] = "{\"a\\u0001/\": 1}";
	cr_assert(document_parse(&document, "a\xff.json", text, strlen(text), true, &none));
	fault_at(&faults, document.root->first, "write 2", "\"1\" is wrong");
	warning_at(&faults, NULL, NULL, "mind");
	char *json = faults_json(&faults);
	cJSON *list = cJSON_Parse(json);
	cr_assert_eq(cJSON_GetArraySize(list), 2);
	const cJSON *fault = cJSON_GetArrayItem(list, 0);
	cr_expect_str_eq(member(fault, "file")->valuestring, "a\\xff.json");
	cr_expect_eq(member(fault, "line")->valueint, 1);
	cr_expect_eq(member(fault, "column")->valueint, 14);
	cr_expect_str_eq(member(fault, "pointer")->valuestring, "/a\x01~1");
	cr_expect_str_eq(member(fault, "message")->valuestring, "\"1\" is wrong");
	cr_expect_str_eq(member(fault, "remedy")->valuestring, "write 2");
	cr_expect(cJSON_IsFalse(member(fault, "warning")));
	fault = cJSON_GetArrayItem(list, 1);
	static const char *const nulls[] = { "file", "line", "column", "pointer", "remedy" };
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		cr_expect(cJSON_IsNull(member(fault, nulls[i])), "%s", nulls[i]);
	cr_expect(cJSON_IsTrue(member(fault, "warning")));
	cJSON_Delete(list);
	free(json);
	faults_close(&faults);
	document_close(&document);
}

Test(fault_json, none)
{
	struct faults faults = { 0 };
	char *json = faults_json(&faults);
	cr_expect_str_eq(json, "[]");
	free(json);
}
