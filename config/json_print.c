/* cJSON prints plain values; where lines break is decided here. */
#include "config/json_print.h"

#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void print_plain(FILE *out, const cJSON *item)
{
	char *text = memory_needed(cJSON_PrintUnformatted(item));
	fputs(text, out);
	free(text);
}

static void print_key(FILE *out, const cJSON *item)
{
	cJSON *key = cJSON_CreateStringReference(item->string);
	print_plain(out, key);
	cJSON_Delete(key);
	fputs(": ", out);
}

static bool is_container(const cJSON *item)
{
	return cJSON_IsObject(item) || cJSON_IsArray(item);
}

static bool stays_on_one_line(const cJSON *item)
{
	if (item->child == NULL)
		return true;
	if (cJSON_IsObject(item))
		return false;
	for (const cJSON *at = item->child; at != NULL; at = at->next)
		if (is_container(at))
			return false;
	return true;
}

static void print_line(FILE *out, const cJSON *item)
{
	if (!cJSON_IsArray(item)) {
		print_plain(out, item);
		return;
	}
	fputc('[', out);
	for (const cJSON *at = item->child; at != NULL; at = at->next) {
		print_plain(out, at);
		fputs(at->next == NULL ? "" : ", ", out);
	}
	fputc(']', out);
}

/* The trees that are printed are made by this program: they are as deep as its option tables. */
static void print(FILE *out, const cJSON *item, int indent)
{
	if (stays_on_one_line(item)) {
		print_line(out, item);
		return;
	}
	bool object = cJSON_IsObject(item);
	fputs(object ? "{\n" : "[\n", out);
	for (const cJSON *at = item->child; at != NULL; at = at->next) {
		fprintf(out, "%*s", indent + 2, "");
		if (object)
			print_key(out, at);
		print(out, at, indent + 2);
		fputs(at->next == NULL ? "\n" : ",\n", out);
	}
	fprintf(out, "%*s%c", indent, "", object ? '}' : ']');
}

char *json_print(const cJSON *item)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	print(out, item, 0);
	fputc('\n', out);
	memory_text_close(out);
	return text;
}
