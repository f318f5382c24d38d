/* Texts about options, made from the same tables that they are read by. */
#include "config/describe_option.h"

#include "config/memory.h"
#include "config/option_table.h"
#include "config/sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_DEEP = 8 };

struct walk {
	struct listed *items;
	size_t count, room;
	const struct option *around[TABLES_DEEP];
	size_t depth;
};

static struct listed *append(struct walk *walk)
{
	if (walk->count == walk->room) {
		walk->room = walk->room == 0 ? 16 : walk->room * 2;
		walk->items =
			memory_needed(reallocarray(walk->items, walk->room, sizeof(*walk->items)));
	}
	struct listed *listed = &walk->items[walk->count++];
	*listed = (struct listed){ 0 };
	return listed;
}

static bool is_around(const struct walk *walk, const struct option *table)
{
	for (size_t i = 0; i < walk->depth; i++)
		if (walk->around[i] == table)
			return true;
	return walk->depth == TABLES_DEEP;
}

static void walk_table(struct walk *walk, const struct option *table, const char *before)
{
	walk->around[walk->depth++] = table;
	for (; table->name != NULL; table++) {
		struct listed *listed = append(walk);
		listed->option = table;
		listed->recursive = table->table != NULL && is_around(walk, table->table);
		snprintf(listed->name, sizeof(listed->name), "%s%s", before, table->name);
		if (table->table == NULL || listed->recursive)
			continue;
		char inside[sizeof(listed->name) + 1];
		snprintf(inside, sizeof(inside), "%s.", listed->name);
		walk_table(walk, table->table, inside);
	}
	walk->depth--;
}

size_t describe_options(
	FILE *out, const struct option *table, void (*print)(FILE *out, const struct listed *))
{
	struct walk walk = { 0 };
	if (table != NULL)
		walk_table(&walk, table, "");
	for (size_t i = 0; i < walk.count; i++)
		print(out, &walk.items[i]);
	free(walk.items);
	return walk.count;
}

static void print_choices(FILE *out, const char *const *choices, const char *mark)
{
	for (size_t i = 0; choices[i] != NULL; i++) {
		const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
		fprintf(out, "%s%s%s%s", between, mark, choices[i], mark);
	}
}

static const char *type_text(const struct listed *listed)
{
	switch (listed->option->type) {
	case OPTION_BOOL:
		return "true or false";
	case OPTION_COUNT:
		return "a whole number";
	case OPTION_SIZE:
		return "a size";
	case OPTION_TIME:
		return "a time";
	case OPTION_STRING:
		return listed->option->is_path ? "a path" : "a string";
	case OPTION_BYTES:
		return "bytes";
	case OPTION_BYTES_LIST:
		return "bytes or a list of them";
	case OPTION_STRINGS:
		return listed->option->is_path ? "a path or a list" : "a string or a list";
	case OPTION_ADDRESS:
		return "an address";
	case OPTION_ADDRESSES:
		return "an address or a list";
	case OPTION_OBJECT:
		return option_switch(listed->option->table) ? "an object or false" : "an object";
	case OPTION_SUBTREE:
		return listed->recursive ? "an object of these options" : "an object";
	case OPTION_SUBTREES:
		return listed->recursive ? "a list of objects of these options"
					 : "a list of objects";
	case OPTION_CHOICE:
		break;
	}
	assert(false);
	return NULL;
}

char *describe_takes(const struct listed *listed, const char *mark)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	if (listed->option->type == OPTION_CHOICE)
		print_choices(out, listed->option->choices, mark);
	else
		fputs(type_text(listed), out);
	memory_text_close(out);
	return text;
}

static const char *standard_text(const struct option *option)
{
	const char *standard = option_standard(option);
	if (option->required)
		return "required";
	return standard == NULL ? "" : standard;
}

static void print_bounds(FILE *out, const struct option *option)
{
	if (option->least != NULL && option->most != NULL)
		fprintf(out, "%s to %s", option->least, option->most);
	else if (option->least != NULL)
		fprintf(out, "at least %s", option->least);
	else if (option->most != NULL)
		fprintf(out, "at most %s", option->most);
}

char *describe_default(const struct option *option)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	const char *standard = standard_text(option);
	bool bounds = option->least != NULL || option->most != NULL;
	fputs(standard, out);
	if (option->needed_when != NULL)
		fprintf(out, "%srequired when %s", standard[0] == '\0' ? "" : "; ",
			option->needed_when);
	bool both = bounds && (standard[0] != '\0' || option->needed_when != NULL);
	fputs(both ? " (" : "", out);
	print_bounds(out, option);
	fputs(both ? ")" : "", out);
	memory_text_close(out);
	return text;
}

static void print_required(FILE *out, const struct option *table)
{
	const char *between = "";
	for (; table->name != NULL; table++) {
		if (!table->required)
			continue;
		char *sample = sample_of(table);
		fprintf(out, "%s\"%s\": %s", between, table->name, sample);
		free(sample);
		between = ", ";
	}
}

static void print_made_example(FILE *out, const struct described *kind)
{
	const struct option *table = kind->options;
	const struct option *primary = table == NULL ? NULL : option_primary(table);
	if (table != NULL && option_requires(table)) {
		fprintf(out, "{\"%s\": {", kind->name);
		print_required(out, table);
		fputs("}}", out);
	} else if (primary != NULL) {
		char *sample = sample_of(primary);
		fprintf(out, "{\"%s\": %s}", kind->name, sample);
		free(sample);
	} else {
		fprintf(out, "\"%s\"", kind->name);
	}
}

char *describe_example(const struct described *kind)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	if (kind->example != NULL)
		fputs(kind->example, out);
	else
		print_made_example(out, kind);
	memory_text_close(out);
	return text;
}
