/* Finding out what an item of "from", "stages" or "to" is: exactly one kind, and known keys beside it. */

#include "pipeline/place.h"

#include <assert.h>
#include <string.h>

#include "config/arena.h"
#include "config/nearest.h"
#include "config/quote.h"
#include "pipeline/registry.h"

struct place {
	const char *what;  /* "a source" */
	const char *where; /* "\"from\"" */
	const struct node_type *(*find)(const char *name);
	const char *const *(*names)(void);
	const struct option *keys; /* that may stand beside the kind */
	const char *const *lists;  /* the same, but lists */
};

static const struct node_type *find_source(const char *name)
{
	const struct source_ops *ops = registry_source(name);
	return ops ? &ops->type : NULL;
}

static const struct node_type *find_stage(const char *name)
{
	const struct stage_ops *ops = registry_stage(name);
	return ops ? &ops->type : NULL;
}

static const struct node_type *find_sink(const char *name)
{
	const struct sink_ops *ops = registry_sink(name);
	return ops ? &ops->type : NULL;
}

const struct place place_from = { .what = "a source",
	.where = "\"from\"",
	.find = find_source,
	.names = registry_sources,
	.keys = node_options,
	.lists = (const char *const[]){ "stages", NULL } };

const struct place place_stages = { .what = "a stage",
	.where = "\"stages\"",
	.find = find_stage,
	.names = registry_stages,
	.keys = node_options,
	.lists = (const char *const[]){ NULL } };

const struct place place_to = { .what = "a sink",
	.where = "\"to\"",
	.find = find_sink,
	.names = registry_sinks,
	.keys = branch_options,
	.lists = (const char *const[]){ "stages", "to", NULL } };

static const struct place *const places[] = { &place_from, &place_stages, &place_to };
enum { PLACES = sizeof(places) / sizeof(places[0]) };

bool place_is_name(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

bool place_has_kind(const struct value *value, const char *kind)
{
	if (value->kind == VALUE_STRING)
		return strcmp(value->text, kind) == 0;
	return value_member(value, kind) != NULL;
}

bool place_is_excused(const struct value *value, const struct faults *faults)
{
	return value->unknown && faults->errors > 0;
}

bool place_fault_tls(const struct value *tls, struct faults *faults)
{
	return fault_at_key(
		faults, tls, "put haproxy or stunnel in front", "\"tls\" is not built in yet");
}

static bool is_word(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static bool is_option(const struct option *options, const char *name)
{
	for (; options->name; options++)
		if (strcmp(options->name, name) == 0)
			return true;
	return false;
}

/* True if the key may stand beside a kind in this place. */
static bool stands_beside(const struct place *place, const char *key)
{
	return is_option(place->keys, key) || is_word(place->lists, key);
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;
	while (words[count])
		count++;
	return count;
}

static size_t count_options(const struct option *options)
{
	size_t count = 0;
	while (options[count].name)
		count++;
	return count;
}

/* What may be a key here: the kinds, unless there is one already, and what stands beside them. */
static const char *const *known_keys(
	const struct place *place, const struct document *document, bool with_kinds)
{
	const char *const *kinds = place->names();
	size_t room = count_words(kinds) + count_options(place->keys) + count_words(place->lists);
	const char **known = document_allocate(document, (room + 1) * sizeof(*known)),
		   **next = known;
	for (; with_kinds && *kinds; kinds++)
		*next++ = *kinds;
	for (const struct option *option = place->keys; option->name; option++)
		*next++ = option->name;
	for (const char *const *list = place->lists; *list; list++)
		*next++ = *list;
	return known;
}

/* A word that is a kind, but elsewhere: says where. */
static const char *belongs(
	const struct place *place, const struct document *document, const char *name)
{
	const char *text = NULL;
	for (size_t i = 0; i < PLACES; i++)
		if (places[i] != place && places[i]->find(name))
			text = arena_format(document->arena, "%s%s%s in %s", text ? text : "",
				text ? ", or " : "", places[i]->what, places[i]->where);
	return text;
}

/* A key that is nothing here. */
static void fault_key(const struct place *place, const struct value *member, bool with_kinds,
	struct faults *faults)
{
	const struct document *document = member->document;
	const char *name = quote_text(document, member->key, strlen(member->key));
	const char *belonging = belongs(place, document, member->key);
	if (strcmp(member->key, "tls") == 0)
		place_fault_tls(member, faults);
	else if (belonging)
		fault_at_key(faults, member, arena_format(document->arena, "it is %s", belonging),
			"%s is not %s", name, place->what);
	else if (is_option(branch_options, member->key) || is_word(place_to.lists, member->key))
		fault_at_key(faults, member,
			arena_format(document->arena, "it belongs to an item of %s",
				is_word(place_from.lists, member->key) ? "\"from\" or \"to\""
								       : "\"to\""),
			"%s is not a key of %s", name, place->what);
	else
		fault_unknown_key(
			faults, member, place->what, known_keys(place, document, with_kinds));
}

/* A bare word: a kind without options. */
static bool read_word(const struct place *place, const struct value *value, struct item *item,
	struct faults *faults)
{
	const struct document *document = value->document;
	item->type = place->find(value->text);
	if (item->type) {
		item->value = value_as_object(value);
		return true;
	}
	const char *belonging = belongs(place, document, value->text);
	const char *near = nearest(value->text, place->names());
	const char *remedy;
	if (belonging)
		remedy = arena_format(document->arena, "it is %s", belonging);
	else if (near)
		remedy = arena_format(document->arena, "write \"%s\"", near);
	else
		remedy = arena_format(
			document->arena, "known here: %s", quote_choices(document, place->names()));
	return fault_at(faults, value, remedy, "%s is not %s", quote_value(value), place->what);
}

/* Finds the kind among the members. `strange` gets how many members are nothing here. */
static size_t find_kinds(const struct place *place, const struct value *value, struct item *item,
	const struct value **second, size_t *strange)
{
	size_t kinds = 0;
	for (const struct value *member = value->first; member; member = member->next) {
		const struct node_type *type = place->find(member->key);
		if (type && ++kinds == 1) {
			item->type = type;
			item->value = member;
		} else if (type) {
			*second = kinds == 2 ? member : *second;
		} else if (!stands_beside(place, member->key)) {
			++*strange;
		}
	}
	return kinds;
}

static bool fault_strange(const struct place *place, const struct value *value, bool with_kinds,
	struct faults *faults)
{
	for (const struct value *member = value->first; member; member = member->next)
		if (!place->find(member->key) && !stands_beside(place, member->key))
			fault_key(place, member, with_kinds, faults);
	return false;
}

static bool fault_no_kind(
	const struct place *place, const struct value *value, struct faults *faults)
{
	const struct document *document = value->document;
	const char *remedy = arena_format(document->arena, "name one: %s%s",
		quote_choices(document, place->names()),
		place == &place_to ? "; or \"to\", for a branch with branches" : "");
	return fault_at(
		faults, value, remedy, "%s has exactly one kind, and none was found", place->what);
}

/* More than one kind, or a kind and a `to`. */
static bool fault_kinds(const struct place *place, const struct item *item,
	const struct value *second, struct faults *faults)
{
	return fault_at_key(faults, second, "make two of them, each in braces of its own",
		"%s has exactly one kind, and \"%s\" and \"%s\" were found", place->what,
		item->type->name, second->key);
}

static bool read_kind(const struct place *place, const struct value *value, struct item *item,
	struct faults *faults)
{
	const struct value *second = NULL;
	size_t strange = 0, kinds = find_kinds(place, value, item, &second, &strange);
	const struct value *to = place == &place_to ? value_member(value, "to") : NULL;
	bool good = strange == 0 || fault_strange(place, value, kinds == 0 && !to, faults);
	if (kinds > 1)
		return fault_kinds(place, item, second, faults);
	if (kinds == 1 && to)
		return fault_at_key(faults, to,
			"put the sink into the list of \"to\", beside the others",
			"a branch ends in a sink or in a \"to\", and both were found");
	if (kinds == 0 && !to && strange == 0)
		return fault_no_kind(place, value, faults);
	return good;
}

/* The common keys; all others are looked at elsewhere. */
static bool read_keys(const struct place *place, const struct value *value, struct item *item,
	struct faults *faults)
{
	const char **others =
		document_allocate(value->document, (value_count(value) + 1) * sizeof(*others));
	const char **next = others;
	for (const struct value *member = value->first; member; member = member->next)
		if (!is_option(place->keys, member->key))
			*next++ = member->key;
	return options_read_beside(place->keys, others, value, place->what, &item->keys, faults);
}

bool place_read(const struct place *place, const struct value *value, struct item *item,
	struct faults *faults)
{
	*item = (struct item){ .value = value, .keys = { .enabled = true } };
	if (value->unknown)
		return true;
	if (value->kind == VALUE_STRING)
		return read_word(place, value, item, faults);
	if (value->kind != VALUE_OBJECT)
		return fault_at(faults, value,
			arena_format(
				value->document->arena, "write {\"%s\": …}", place->names()[0]),
			"%s is an object with its kind as key, or the bare name of one, not %s",
			place->what, value_kind_name(value->kind));
	bool keys = read_keys(place, value, item, faults);
	return read_kind(place, value, item, faults) && keys;
}
