/* A document is made in four steps: the text is scanned for places, cJSON tells what keys and strings mean, comments and
 * duplicate keys are taken out, and variables and secrets are put in. */
#include "config/document.h"

#include "config/arena.h"
#include "config/json_text.h"
#include "config/quote.h"
#include "config/resolve.h"
#include "config/whole_file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

enum { DOCUMENT_MOST = 16 * 1024 * 1024 };

/* Takes over what cJSON decoded. Both trees have the same shape. */
static void take_meaning(struct value *value, const cJSON *item)
{
	struct arena *arena = value->document->arena;
	if (item->string != NULL)
		value->key = arena_copy(arena, item->string, strlen(item->string));
	if (value->kind == VALUE_STRING) {
		value->size = strlen(item->valuestring);
		value->text = arena_copy(arena, item->valuestring, value->size);
	}
	value->number = value->kind == VALUE_NUMBER ? item->valuedouble : 0;
	const cJSON *child = item->child;
	for (struct value *at = value->first; at != NULL; at = at->next) {
		assert(child != NULL);
		take_meaning(at, child);
		child = child->next;
	}
	assert(child == NULL);
}

static bool decode(struct document *document, struct faults *faults)
{
	const char *end = document->text;
	cJSON *root = cJSON_ParseWithLengthOpts(document->text, document->size, &end, false);
	if (root == NULL) {
		struct value place = *document->root;
		place.offset = (size_t)(end - document->text);
		return fault_at(faults, &place, NULL, "this is not JSON");
	}
	take_meaning(document->root, root);
	cJSON_Delete(root);
	return true;
}

static bool is_comment(const struct value *value)
{
	return value->key != NULL && strncmp(value->key, "//", 2) == 0;
}

static void remove_comments(struct value *value)
{
	struct value **link = &value->first;
	while (*link != NULL) {
		if (is_comment(*link)) {
			*link = (*link)->next;
			continue;
		}
		remove_comments(*link);
		link = &(*link)->next;
	}
}

static int compare_members(const void *left, const void *right)
{
	const struct value *a = *(struct value *const *)left, *b = *(struct value *const *)right;
	int keys = strcmp(a->key, b->key);
	if (keys != 0)
		return keys;
	return a->key_offset < b->key_offset ? -1 : 1;
}

static uint32_t line_of(const struct document *document, size_t offset)
{
	uint32_t line = 1;
	for (size_t i = 0; i < offset; i++)
		line += document->text[i] == '\n';
	return line;
}

static bool fault_duplicate(
	struct faults *faults, const struct value *first, const struct value *second)
{
	return fault_at_key(faults, second, "remove one of them",
		"duplicate key %s: the first one is in line %u",
		quote_text(second->document, second->key, strlen(second->key)),
		line_of(second->document, first->key_offset));
}

static void unlink_member(struct value *object, const struct value *member)
{
	struct value **link = &object->first;
	while (*link != member) {
		assert(*link != NULL);
		link = &(*link)->next;
	}
	*link = member->next;
}

/* Sorted, equal keys are neighbours. The first one stays, so that reading can go on. */
static bool check_members(struct value *object, struct faults *faults)
{
	size_t count = value_count(object);
	struct value **members =
		document_allocate(object->document, (count + 1) * sizeof(struct value *));
	size_t used = 0;
	for (struct value *at = object->first; at != NULL; at = at->next)
		members[used++] = at;
	qsort(members, count, sizeof(struct value *), compare_members);
	bool good = true;
	for (size_t i = 1, first = 0; i < count; i++) {
		if (strcmp(members[first]->key, members[i]->key) != 0) {
			first = i;
			continue;
		}
		good = fault_duplicate(faults, members[first], members[i]);
		unlink_member(object, members[i]);
	}
	return good;
}

static bool check_keys(struct value *value, struct faults *faults)
{
	bool good = value->kind != VALUE_OBJECT || check_members(value, faults);
	for (struct value *at = value->first; at != NULL; at = at->next)
		good = check_keys(at, faults) && good;
	return good;
}

static bool build(struct document *document, struct faults *faults)
{
	size_t errors = faults->errors;
	struct value *root = json_text_scan(document, faults);
	if (root == NULL)
		return false;
	document->root = root;
	if (!decode(document, faults)) {
		document->root = NULL;
		return false;
	}
	remove_comments(root);
	check_keys(root, faults);
	resolve(root, faults);
	return faults->errors == errors;
}

/* A byte order mark says nothing in UTF-8; it is left out, so that places count from what a person sees. */
static void skip_mark(struct document *document)
{
	if (document->size >= 3 && memcmp(document->text, "\xef\xbb\xbf", 3) == 0) {
		document->text += 3;
		document->size -= 3;
	}
}

static void start(struct document *document, const char *name, bool resolve_values)
{
	*document = (struct document){ .arena = arena_create(), .resolve = resolve_values };
	document->name = strcmp(name, "-") == 0 ? "<stdin>"
						: arena_copy(document->arena, name, strlen(name));
}

/* A part behind the others of `whole`. */
static struct document *start_part(struct document *whole, const char *name)
{
	struct document **link = &whole->included;
	while (*link != NULL)
		link = &(*link)->next;
	*link = document_allocate(whole, sizeof(**link));
	**link = (struct document){ .arena = whole->arena,
		.resolve = whole->resolve,
		.name = arena_copy(whole->arena, name, strlen(name)),
		.whole = whole };
	return *link;
}

static bool read_text(struct document *document, const char *path)
{
	if (strcmp(path, "-") == 0)
		return whole_file_take(document->arena, STDIN_FILENO, DOCUMENT_MOST,
			&document->text, &document->size);
	return whole_file_read(
		document->arena, path, DOCUMENT_MOST, &document->text, &document->size);
}

static const char *remedy_for(int error)
{
	return error == EISDIR ? "name a file that lies in it"
			       : "name a configuration that can be read";
}

static bool read_file(struct document *document, const char *path, const struct value *place,
	struct faults *faults)
{
	if (!read_text(document, path))
		return fault_at(faults, place, remedy_for(errno), "cannot read %s: %s",
			document->name, errno == EFBIG ? "more than 16MiB" : strerror(errno));
	skip_mark(document);
	return build(document, faults);
}

static bool take_text(
	struct document *document, const char *text, size_t size, struct faults *faults)
{
	document->text = arena_copy(document->arena, text, size);
	document->size = size;
	skip_mark(document);
	return build(document, faults);
}

bool document_read(
	struct document *document, const char *path, bool resolve_values, struct faults *faults)
{
	start(document, path, resolve_values);
	return read_file(document, path, NULL, faults);
}

bool document_parse(struct document *document, const char *name, const char *text, size_t size,
	bool resolve_values, struct faults *faults)
{
	start(document, name, resolve_values);
	return take_text(document, text, size, faults);
}

struct document *document_include(
	struct document *whole, const char *path, const struct value *place, struct faults *faults)
{
	struct document *part = start_part(whole, path);
	read_file(part, path, place, faults);
	return part;
}

struct document *document_include_text(struct document *whole, const char *name, const char *text,
	size_t size, struct faults *faults)
{
	struct document *part = start_part(whole, name);
	take_text(part, text, size, faults);
	return part;
}

bool document_holds(const struct document *document, const struct value *value)
{
	return value != NULL && (value->document == document || value->document->whole == document);
}

const char *document_place_of_key(const struct value *value)
{
	const struct document *document = value->document;
	size_t line = value->key_offset;
	while (line > 0 && document->text[line - 1] != '\n')
		line--;
	return arena_format(document->arena, "%s:%u:%zu", document->name,
		line_of(document, value->key_offset), value->key_offset - line + 1);
}

void document_close(struct document *document)
{
	arena_destroy(document->arena);
	*document = (struct document){ 0 };
}

struct value *value_member(const struct value *object, const char *key)
{
	if (object == NULL || object->kind != VALUE_OBJECT)
		return NULL;
	for (struct value *at = object->first; at != NULL; at = at->next)
		if (strcmp(at->key, key) == 0)
			return at;
	return NULL;
}

size_t value_count(const struct value *value)
{
	size_t count = 0;
	for (const struct value *at = value->first; at != NULL; at = at->next)
		count++;
	return count;
}

const struct value *value_as_object(const struct value *value)
{
	struct value *object = document_allocate(value->document, sizeof(*object));
	*object = *value;
	object->kind = VALUE_OBJECT;
	object->first = NULL;
	return object;
}

const char *value_kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		[VALUE_NULL] = "null",
		[VALUE_BOOL] = "a boolean",
		[VALUE_NUMBER] = "a number",
		[VALUE_STRING] = "a string",
		[VALUE_LIST] = "a list",
		[VALUE_OBJECT] = "an object",
	};
	return names[kind];
}

void *document_allocate(const struct document *document, size_t size)
{
	return arena_allocate(document->arena, size);
}

const char *document_path(const struct document *document, const char *path)
{
	const char *slash = strrchr(document->name, '/');
	if (path[0] == '/' || slash == NULL)
		return arena_copy(document->arena, path, strlen(path));
	return arena_format(
		document->arena, "%.*s/%s", (int)(slash - document->name), document->name, path);
}

bool document_same_folder(const struct document *a, const struct document *b)
{
	const char *in_a = strrchr(a->name, '/'), *in_b = strrchr(b->name, '/');
	size_t size_a = in_a ? (size_t)(in_a - a->name) + 1 : 0;
	size_t size_b = in_b ? (size_t)(in_b - b->name) + 1 : 0;
	return size_a == size_b && memcmp(a->name, b->name, size_a) == 0;
}

static bool text_equal(const struct value *a, const struct value *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static bool items_equal(const struct value *a, const struct value *b)
{
	const struct value *x = a->first, *y = b->first;
	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!value_equal(x, y))
			return false;
	return x == NULL && y == NULL;
}

static bool members_equal(const struct value *a, const struct value *b)
{
	if (value_count(a) != value_count(b))
		return false;
	for (const struct value *member = a->first; member != NULL; member = member->next)
		if (!value_equal(member, value_member(b, member->key)))
			return false;
	return true;
}

/* The depth of a document is bounded. */
bool value_equal(const struct value *a, const struct value *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->lines != b->lines)
		return false;
	switch (a->kind) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->truth == b->truth;
	case VALUE_NUMBER:
	case VALUE_STRING:
		return text_equal(a, b);
	case VALUE_LIST:
		return items_equal(a, b);
	case VALUE_OBJECT:
		return members_equal(a, b);
	}
	return false;
}
