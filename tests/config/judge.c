/* Each keyword is judged alone, as JSON Schema has it; what is not known here must not be written there. */
#include "tests/config/judge.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool matches(const char *pattern, const char *text)
{
	regex_t compiled;
	cr_assert_eq(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0, "%s", pattern);
	bool found = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

static const cJSON *resolve_reference(const cJSON *root, const char *path)
{
	static const char start[] = "#/$defs/";
	cr_assert_eq(strncmp(path, start, strlen(start)), 0, "%s", path);
	const cJSON *found = member(member(root, "$defs"), path + strlen(start));
	cr_assert_not_null(found, "%s", path);
	return found;
}

static int count_accepting(const cJSON *root, const cJSON *list, const cJSON *item)
{
	int count = 0;
	const cJSON *at;
	cJSON_ArrayForEach(at, list) count += judge_accepts(root, at, item);
	return count;
}

static bool has_type(const char *type, const cJSON *item)
{
	if (strcmp(type, "object") == 0)
		return cJSON_IsObject(item);
	if (strcmp(type, "array") == 0)
		return cJSON_IsArray(item);
	if (strcmp(type, "string") == 0)
		return cJSON_IsString(item);
	if (strcmp(type, "boolean") == 0)
		return cJSON_IsBool(item);
	cr_assert_str_eq(type, "integer");
	double number = cJSON_IsNumber(item) ? item->valuedouble : 0.5;
	return number > 1e15 || (number > -1e15 && (double)(long long)number == number);
}

static bool property_accepted(const cJSON *root, const cJSON *schema, const cJSON *value)
{
	const cJSON *known = member(member(schema, "properties"), value->string), *at;
	bool found = known != NULL, good = known == NULL || judge_accepts(root, known, value);
	cJSON_ArrayForEach(at, member(schema, "patternProperties"))
	{
		if (!matches(at->string, value->string))
			continue;
		found = true;
		good = good && judge_accepts(root, at, value);
	}
	return good && (found || !cJSON_IsFalse(member(schema, "additionalProperties")));
}

static bool properties_accepted(const cJSON *root, const cJSON *schema, const cJSON *item)
{
	const cJSON *at;
	if (!cJSON_IsObject(item))
		return true;
	cJSON_ArrayForEach(at, item) if (!property_accepted(root, schema, at)) return false;
	return true;
}

static bool required_there(const cJSON *names, const cJSON *item)
{
	const cJSON *name;
	cJSON_ArrayForEach(name, names) if (member(item, name->valuestring) == NULL) return false;
	return true;
}

static bool is_listed(const cJSON *values, const cJSON *item)
{
	const cJSON *value;
	cJSON_ArrayForEach(value, values) if (cJSON_Compare(value, item, true)) return true;
	return false;
}

static bool items_accepted(const cJSON *root, const cJSON *schema, const cJSON *item)
{
	const cJSON *at;
	if (!cJSON_IsArray(item))
		return true;
	cJSON_ArrayForEach(at, item) if (!judge_accepts(root, schema, at)) return false;
	return true;
}

static bool is_note(const char *keyword)
{
	static const char *const notes[] = { "$schema", "$defs", "title", "description",
		"default" };
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (strcmp(notes[i], keyword) == 0)
			return true;
	return false;
}

static bool bound_holds(const char *keyword, const cJSON *bound, const cJSON *item)
{
	if (strcmp(keyword, "minimum") == 0)
		return !cJSON_IsNumber(item) || item->valuedouble >= bound->valuedouble;
	if (strcmp(keyword, "maximum") == 0)
		return !cJSON_IsNumber(item) || item->valuedouble <= bound->valuedouble;
	if (strcmp(keyword, "minItems") == 0)
		return !cJSON_IsArray(item) || cJSON_GetArraySize(item) >= bound->valueint;
	if (strcmp(keyword, "minProperties") == 0)
		return !cJSON_IsObject(item) || cJSON_GetArraySize(item) >= bound->valueint;
	cr_assert_str_eq(keyword, "minLength");
	return !cJSON_IsString(item) || strlen(item->valuestring) >= (size_t)bound->valueint;
}

static bool keyword_holds(
	const cJSON *root, const cJSON *schema, const cJSON *keyword, const cJSON *item)
{
	const char *name = keyword->string;
	if (is_note(name))
		return true;
	if (strcmp(name, "$ref") == 0)
		return judge_accepts(root, resolve_reference(root, keyword->valuestring), item);
	if (strcmp(name, "anyOf") == 0)
		return count_accepting(root, keyword, item) > 0;
	if (strcmp(name, "oneOf") == 0)
		return count_accepting(root, keyword, item) == 1;
	if (strcmp(name, "type") == 0)
		return has_type(keyword->valuestring, item);
	if (strcmp(name, "enum") == 0)
		return is_listed(keyword, item);
	if (strcmp(name, "pattern") == 0)
		return !cJSON_IsString(item) || matches(keyword->valuestring, item->valuestring);
	if (strcmp(name, "required") == 0)
		return !cJSON_IsObject(item) || required_there(keyword, item);
	if (strcmp(name, "items") == 0)
		return items_accepted(root, keyword, item);
	if (strcmp(name, "properties") == 0)
		return properties_accepted(root, schema, item);
	if (strcmp(name, "patternProperties") == 0 || strcmp(name, "additionalProperties") == 0)
		return member(schema, "properties") != NULL;
	return bound_holds(name, keyword, item);
}

bool judge_accepts(const cJSON *root, const cJSON *schema, const cJSON *item)
{
	if (cJSON_IsBool(schema))
		return cJSON_IsTrue(schema);
	const cJSON *keyword;
	cJSON_ArrayForEach(keyword, schema)
	{
		if (!keyword_holds(root, schema, keyword, item))
			return false;
	}
	return true;
}
