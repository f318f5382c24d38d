/* `list`: all kinds, or one with its options. */
#include "config/describe.h"

#include "config/describe_option.h"
#include "config/memory.h"
#include "config/option_table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 16, TAKES_WIDTH = 36 };

static const char *doc_of(const char *doc)
{
	return doc == NULL ? "" : doc;
}

static void print_group(FILE *out, const char *title, const struct described *kinds)
{
	fprintf(out, "%s\n", title);
	for (; kinds->name != NULL; kinds++)
		fprintf(out, "  %-*s %s\n", NAME_WIDTH, kinds->name, doc_of(kinds->doc));
}

static void print_option(FILE *out, const struct listed *listed)
{
	const struct option *option = listed->option;
	char *takes = describe_takes(listed, ""), *standard = describe_default(option);
	const char *word = option_standard(option) != NULL ? "default " : "";
	if (standard[0] == '\0')
		fprintf(out, "  %-*s %s\n", NAME_WIDTH, listed->name, takes);
	else
		fprintf(out, "  %-*s %-*s %s%s\n", NAME_WIDTH, listed->name, TAKES_WIDTH, takes,
			word, standard);
	if (option->doc != NULL)
		fprintf(out, "  %-*s   %s\n", NAME_WIDTH, "", option->doc);
	free(takes);
	free(standard);
}

static void print_options(FILE *out, const struct option *table)
{
	if (describe_options(out, table, print_option) == 0)
		fputs("  no options\n", out);
}

/* What is set beside the kinds: objects of a configuration. */
enum { SETTINGS = 4 };

static void list_settings(
	const struct catalogue *catalogue, struct described settings[SETTINGS + 1])
{
	const struct described all[SETTINGS + 1] = {
		{ "service", "The daemon.", catalogue->service, NULL },
		{ "pipeline", "A pipeline, beside its `from`, `stages` and `to`.",
			catalogue->pipeline, NULL },
		{ "branch", "What stands in `to`, beside its kind.", catalogue->branch, NULL },
		{ "tests", "Each of the tests, beside its `in` and `out`.", catalogue->test, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	for (size_t i = 0, k = 0; i <= SETTINGS; i++)
		if (all[i].options != NULL || all[i].name == NULL)
			settings[k++] = all[i];
}

static void print_kind(FILE *out, const char *role, const struct described *kind)
{
	fprintf(out, "%s (%s): %s\n\n", kind->name, role, doc_of(kind->doc));
	print_options(out, kind->options);
}

static void print_example(FILE *out, const struct described *kind)
{
	char *example = describe_example(kind);
	fprintf(out, "\n  %s\n", example);
	free(example);
}

/* Returns how many there are of this name: a source and a sink may share one. */
static size_t print_named(FILE *out, const struct catalogue *catalogue, const char *name)
{
	struct described settings[SETTINGS + 1];
	const struct described *const groups[] = { catalogue->sources, catalogue->stages,
		catalogue->sinks, settings };
	static const char *const roles[] = { "source", "stage", "sink", "settings" };
	size_t found = 0;
	list_settings(catalogue, settings);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (const struct described *at = groups[i]; at->name != NULL; at++) {
			if (strcmp(at->name, name) != 0)
				continue;
			fputs(found++ == 0 ? "" : "\n", out);
			print_kind(out, roles[i], at);
			if (groups[i] != settings)
				print_example(out, at);
		}
	}
	return found;
}

static void add_names(const char *names[DESCRIBED_MOST], const struct described *kinds)
{
	size_t count = 0;
	while (names[count] != NULL)
		count++;
	for (; kinds->name != NULL; kinds++) {
		bool told = false;
		for (size_t i = 0; i < count; i++)
			told |= strcmp(names[i], kinds->name) == 0;
		if (told)
			continue;
		assert(count + 1 < DESCRIBED_MOST);
		names[count++] = kinds->name;
		names[count] = NULL;
	}
}

void describe_names(const struct catalogue *catalogue, const char *names[DESCRIBED_MOST])
{
	struct described settings[SETTINGS + 1];
	list_settings(catalogue, settings);
	names[0] = NULL;
	add_names(names, catalogue->sources);
	add_names(names, catalogue->stages);
	add_names(names, catalogue->sinks);
	add_names(names, settings);
}

static void print_all(FILE *out, const struct catalogue *catalogue)
{
	struct described settings[SETTINGS + 1];
	list_settings(catalogue, settings);
	print_group(out, "sources", catalogue->sources);
	print_group(out, "stages", catalogue->stages);
	print_group(out, "sinks", catalogue->sinks);
	print_group(out, "settings", settings);
}

char *describe_list(const struct catalogue *catalogue, const char *kind)
{
	char *text;
	size_t size, found = 1;
	FILE *out = memory_text_open(&text, &size);
	if (kind == NULL)
		print_all(out, catalogue);
	else
		found = print_named(out, catalogue, kind);
	memory_text_close(out);
	if (found > 0)
		return text;
	free(text);
	return NULL;
}
