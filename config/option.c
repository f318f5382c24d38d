/* Walking a table of options over an object. What a single option takes is told by its type's file. */
#include "config/option.h"

#include "config/address.h"
#include "config/arena.h"
#include "config/bytes.h"
#include "config/nearest.h"
#include "config/option_table.h"
#include "config/quote.h"
#include "config/sample.h"
#include "config/scalar.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *field_of(const struct option *option, void *state)
{
	return (char *)state + option->offset;
}

static void scalar_default(const struct option *option, void *field)
{
	if (option->type == OPTION_BOOL)
		*(bool *)field = false;
	else if (option->type == OPTION_CHOICE)
		*(unsigned *)field = 0;
	else
		*(uint64_t *)field = 0;
	if (option->standard == NULL)
		return;
	const struct value value = { .kind = VALUE_STRING,
		.text = option->standard,
		.size = strlen(option->standard),
		.stands_in = true };
	struct faults none = { 0 };
	bool good = scalar_read(option, &value, field, &none);
	assert(good);
}

/* A list of one string: the table's own pointer to the default. */
static struct strings strings_default(const struct option *option)
{
	if (option->standard == NULL)
		return (struct strings){ 0 };
	return (struct strings){ (const char **)(uintptr_t)&option->standard, 1 };
}

static void table_default(const struct option *table, void *state);

static void option_default(const struct option *option, void *field)
{
	const char *text = option->standard;
	switch (option->type) {
	case OPTION_BOOL:
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_TIME:
	case OPTION_CHOICE:
		scalar_default(option, field);
		break;
	case OPTION_STRING:
		*(const char **)field = text;
		break;
	case OPTION_STRINGS:
		*(struct strings *)field = strings_default(option);
		break;
	case OPTION_BYTES:
		*(struct bytes *)field =
			(struct bytes){ text, text == NULL ? 0 : strlen(text), NULL };
		break;
	case OPTION_BYTES_LIST:
		*(struct bytes_list *)field = (struct bytes_list){ 0 };
		break;
	case OPTION_ADDRESS:
		*(struct address *)field = (struct address){ .host = "" };
		break;
	case OPTION_ADDRESSES:
		*(struct addresses *)field = (struct addresses){ 0 };
		break;
	case OPTION_OBJECT:
		table_default(option->table, field);
		break;
	case OPTION_SUBTREE:
		*(void **)field = NULL;
		break;
	case OPTION_SUBTREES:
		*(struct subtrees *)field = (struct subtrees){ 0 };
		break;
	}
}

/* No table holds itself in an OPTION_OBJECT: it would have no size. */
static void table_default(const struct option *table, void *state)
{
	for (; table->name != NULL; table++)
		option_default(table, field_of(table, state));
}

/* What goes along while an object is read. */
struct reading {
	const struct option *table;
	const char *const *extra; /* members that are the caller's; may be NULL */
	const char *what;
	struct faults *faults;
};

static bool object_read(const struct reading *reading, const struct value *value, void *state);

/* The names of inner objects in faults: a table in itself (conditions) keeps its owner's. */
static struct reading inner_reading(const struct reading *outer, const struct option *option)
{
	return (struct reading){ .table = option->table,
		.what = option->table == outer->table ? outer->what : option->name,
		.faults = outer->faults };
}

static bool subtree_read(const struct reading *reading, const struct option *option,
	const struct value *value, void **subtree)
{
	struct reading inner = inner_reading(reading, option);
	void *state = document_allocate(value->document, option->table_size);
	*subtree = state;
	return object_read(&inner, value, state);
}

static bool subtrees_read(const struct reading *reading, const struct option *option,
	const struct value *value, struct subtrees *subtrees)
{
	struct reading inner = inner_reading(reading, option);
	if (value->kind != VALUE_LIST)
		return fault_at(reading->faults, value, "write [ before it and ] behind it",
			"a list is due for \"%s\", not %s", option->name,
			value_kind_name(value->kind));
	if (value->first == NULL)
		return fault_at(reading->faults, value, "write at least one",
			"an empty list for \"%s\"", option->name);
	char *items = document_allocate(value->document, value_count(value) * option->table_size);
	bool good = true;
	size_t count = 0;
	for (const struct value *item = value->first; item != NULL; item = item->next)
		good = object_read(&inner, item, items + option->table_size * count++) && good;
	*subtrees = (struct subtrees){ items, count };
	return good;
}

static bool is_list(const struct option *option)
{
	return option->type == OPTION_BYTES_LIST || option->type == OPTION_STRINGS ||
	       option->type == OPTION_ADDRESSES || option->type == OPTION_SUBTREES;
}

/* A value that is not known leaves the default; where it is text, it stays as it is written. */
static bool unknown_read(
	const struct option *option, const struct value *value, void *field, struct faults *faults)
{
	bool text = value->kind == VALUE_STRING;
	if (option->type == OPTION_BYTES || option->type == OPTION_BYTES_LIST)
		return bytes_option_read(option, value, field, faults);
	if (text && option->type == OPTION_STRING)
		*(const char **)field = value->text;
	if (text && option->type == OPTION_ADDRESS)
		*(struct address *)field = (struct address){ .text = value->text, .host = "" };
	if (text && option->type == OPTION_ADDRESSES)
		return addresses_read(option, value, field, faults);
	if (text && option->type == OPTION_STRINGS) {
		const char **items = document_allocate(value->document, sizeof(char *));
		items[0] = value->text;
		*(struct strings *)field = (struct strings){ items, 1 };
	}
	return true;
}

static bool option_read(const struct reading *reading, const struct option *option,
	const struct value *value, void *field)
{
	if (value->unknown)
		return unknown_read(option, value, field, reading->faults);
	switch (option->type) {
	case OPTION_BOOL:
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_TIME:
	case OPTION_CHOICE:
		return scalar_read(option, value, field, reading->faults);
	case OPTION_STRING:
	case OPTION_STRINGS:
	case OPTION_BYTES:
	case OPTION_BYTES_LIST:
		return bytes_option_read(option, value, field, reading->faults);
	case OPTION_ADDRESS:
		return address_read(option, value, field, reading->faults);
	case OPTION_ADDRESSES:
		return addresses_read(option, value, field, reading->faults);
	case OPTION_OBJECT: {
		struct reading inner = inner_reading(reading, option);
		return object_read(&inner, value, field);
	}
	case OPTION_SUBTREE:
		return subtree_read(reading, option, value, field);
	case OPTION_SUBTREES:
		return subtrees_read(reading, option, value, field);
	}
	assert(false);
	return false;
}

static const struct option *find(const struct option *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static bool is_word(const char *const *words, const char *word)
{
	for (; words != NULL && *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;
	while (words != NULL && words[count] != NULL)
		count++;
	return count;
}

static size_t count_options(const struct option *table)
{
	size_t count = 0;
	while (table[count].name != NULL)
		count++;
	return count;
}

/* All names that may stand in the object, NULL-ended. */
static const char *const *known_names(
	const struct reading *reading, const struct document *document)
{
	size_t options = count_options(reading->table), extras = count_words(reading->extra);
	const char **names = document_allocate(document, (options + extras + 1) * sizeof(char *));
	for (size_t i = 0; i < options; i++)
		names[i] = reading->table[i].name;
	for (size_t i = 0; i < extras; i++)
		names[options + i] = reading->extra[i];
	return names;
}

void fault_unknown_key(struct faults *faults, const struct value *member, const char *what,
	const char *const *known)
{
	const struct document *document = member->document;
	const char *near = nearest(member->key, known),
		   *remedy = "leave it out: there are no keys here";
	if (near != NULL)
		remedy = arena_format(document->arena, "write \"%s\"", near);
	else if (known[0] != NULL)
		remedy = arena_format(
			document->arena, "known here: %s", quote_choices(document, known));
	fault_at_key(faults, member, remedy, "unknown key %s in %s",
		quote_text(document, member->key, strlen(member->key)), what);
}

static bool members_read(const struct reading *reading, const struct value *object, void *state)
{
	bool good = true;
	for (const struct value *at = object->first; at != NULL; at = at->next) {
		const struct option *option = find(reading->table, at->key);
		if (option != NULL) {
			good = option_read(reading, option, at, field_of(option, state)) && good;
		} else if (!is_word(reading->extra, at->key)) {
			fault_unknown_key(reading->faults, at, reading->what,
				known_names(reading, object->document));
			good = false;
		}
	}
	return good;
}

static bool fault_missing(
	const struct reading *reading, const struct option *option, const struct value *value)
{
	char *sample = sample_of(option);
	char remedy[256];
	snprintf(remedy, sizeof(remedy), "add \"%s\": %s", option->name, sample);
	free(sample);
	return fault_at(reading->faults, value, remedy, "\"%s\" is missing in %s", option->name,
		reading->what);
}

/* `alone`: the value stands for the primary option. */
static bool required_check(const struct reading *reading, const struct value *value, bool alone)
{
	bool good = true;
	for (const struct option *at = reading->table; at->name != NULL; at++) {
		bool given = alone ? at->primary : value_member(value, at->name) != NULL;
		if (at->required && !given)
			good = fault_missing(reading, at, value);
	}
	return good;
}

/* {"hex": …} and {"$lines": …} are values, not options, where the table does not know them. */
static bool is_bytes_object(const struct option *table, const struct value *value)
{
	const struct option *primary = option_primary(table);
	if (primary == NULL || value->kind != VALUE_OBJECT)
		return false;
	bool list = primary->type == OPTION_BYTES_LIST,
	     bytes = list || primary->type == OPTION_BYTES;
	return (bytes && value_member(value, "hex") != NULL && find(table, "hex") == NULL) ||
	       (list && value_member(value, "$lines") != NULL);
}

/* True if a value of this kind can stand for the option. What it holds is judged when it is read. */
static bool kind_fits(const struct option *option, const struct value *value)
{
	if (value->kind == VALUE_STRING)
		return option->type < OPTION_OBJECT;
	if (value->kind == VALUE_LIST)
		return is_list(option);
	if (value->kind == VALUE_NUMBER)
		return option->type == OPTION_COUNT || option->type == OPTION_SIZE ||
		       option->type == OPTION_TIME;
	return value->kind == VALUE_BOOL && option->type == OPTION_BOOL;
}

/* An object with the table's first option. */
static const char *object_sample(const struct reading *reading, const struct document *document)
{
	const struct option *first = reading->table;
	if (first->name == NULL)
		return "write {}";
	char *sample = sample_of(first);
	const char *remedy =
		arena_format(document->arena, "write {\"%s\": %s}", first->name, sample);
	free(sample);
	return remedy;
}

static bool fault_forms(const struct reading *reading, const struct value *value)
{
	const struct option *primary = option_primary(reading->table);
	const struct document *document = value->document;
	if (primary == NULL)
		return fault_at(reading->faults, value, object_sample(reading, document),
			"an object of options is due for %s, not %s", reading->what,
			value_kind_name(value->kind));
	char *sample = sample_of(primary);
	const char *remedy = arena_format(
		document->arena, "write %s or {\"%s\": %s}", sample, primary->name, sample);
	free(sample);
	return fault_at(reading->faults, value, remedy,
		"an object of options, or its \"%s\" alone, is due for %s, not %s", primary->name,
		reading->what, value_kind_name(value->kind));
}

static bool primary_read(const struct reading *reading, const struct value *value, void *state)
{
	const struct option *primary = option_primary(reading->table);
	if (primary == NULL ||
		!(kind_fits(primary, value) || is_bytes_object(reading->table, value)))
		return fault_forms(reading, value);
	bool good = option_read(reading, primary, value, field_of(primary, state));
	return required_check(reading, value, true) && good;
}

static bool unknown_object_read(
	const struct reading *reading, const struct value *value, void *state)
{
	const struct option *primary = option_primary(reading->table);
	return primary == NULL || option_read(reading, primary, value, field_of(primary, state));
}

/* `false` in the place of an object: {"enabled": false}, where the table has that option. */
static bool switched_off(const struct option *table, const struct value *value, void *state)
{
	const struct option *enabled = option_switch(table);
	if (enabled == NULL || value->kind != VALUE_BOOL || value->truth)
		return false;
	*(bool *)field_of(enabled, state) = false;
	return true;
}

/* The depth of a document is bounded, and so is the recursion. */
static bool object_read(const struct reading *reading, const struct value *value, void *state)
{
	table_default(reading->table, state);
	if (value == NULL)
		return required_check(reading, NULL, false);
	if (value->unknown)
		return unknown_object_read(reading, value, state);
	if (switched_off(reading->table, value, state))
		return true;
	if (value->kind != VALUE_OBJECT || is_bytes_object(reading->table, value))
		return primary_read(reading, value, state);
	bool good = members_read(reading, value, state);
	return required_check(reading, value, false) && good;
}

bool options_read(const struct option *table, const struct value *value, const char *what,
	void *state, struct faults *faults)
{
	return options_read_beside(table, NULL, value, what, state, faults);
}

bool options_read_beside(const struct option *table, const char *const *extra,
	const struct value *value, const char *what, void *state, struct faults *faults)
{
	static const struct option none[] = { OPTIONS_END };
	struct reading reading = { .table = table == NULL ? none : table,
		.extra = extra,
		.what = what,
		.faults = faults };
	return object_read(&reading, value, state);
}

const struct value *option_value(
	const struct option *table, const struct value *value, const char *name)
{
	bool has_member = find(table, name) != NULL && value_member(value, name) != NULL;
	return has_member ? value_member(value, name) : value;
}
