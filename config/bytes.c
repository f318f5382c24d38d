/* Bytes are a string, {"hex": "0d0a"}, or the lines of a file. An empty one would be found everywhere, so it is refused. */
#include "config/bytes.h"

#include "config/arena.h"
#include "config/quote.h"
#include "config/scalar.h"
#include "config/whole_file.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MOST = 16 * 1024 * 1024 };

static bool fault_empty(struct faults *faults, const struct option *option,
	const struct value *value, const char *what)
{
	const char *remedy =
		value->kind == VALUE_LIST ? "write at least one" : "write at least one byte";
	return fault_at(faults, value, remedy, "%s for \"%s\"", what, option->name);
}

/* Bytes that are not known hold their place as they are written. */
static struct bytes unknown_bytes(const struct value *value)
{
	if (value->kind == VALUE_STRING && value->size > 0)
		return (struct bytes){ value->text, value->size, value };
	return (struct bytes){ "?", 1, value };
}

static unsigned hex_value(char digit)
{
	char lower = (char)tolower((unsigned char)digit);
	return (unsigned)(lower <= '9' ? lower - '0' : lower - 'a' + 10);
}

static size_t hex_digits(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF");
}

static bool fault_hex(struct faults *faults, const struct value *hex)
{
	const char *text = hex->text,
		   *remedy = "write two hexadecimal digits a byte: {\"hex\": \"0d0a\"}";
	bool prefixed = strncasecmp(text, "0x", 2) == 0;
	if (prefixed && hex_digits(text + 2) == hex->size - 2 && hex->size % 2 == 0 && !hex->secret)
		remedy = arena_format(hex->document->arena, "write \"%s\"", text + 2);
	return fault_at(faults, hex, remedy, "%s is not in hexadecimal digits, two a byte",
		quote_value(hex));
}

static bool hex_read(const struct value *object, struct bytes *bytes, struct faults *faults)
{
	static const char *const known[] = { "hex", NULL };
	const struct value *hex = value_member(object, "hex");
	if (object->first->next != NULL) {
		fault_unknown_key(faults, object->first == hex ? hex->next : object->first,
			"{\"hex\": …}", known);
		return false;
	}
	if (hex->unknown) {
		*bytes = unknown_bytes(hex);
		return true;
	}
	if (hex->kind != VALUE_STRING)
		return fault_at(faults, hex, "write {\"hex\": \"0d0a\"}",
			"a string is due for \"hex\", not %s", value_kind_name(hex->kind));
	if (hex->size == 0 || hex->size % 2 != 0 || hex_digits(hex->text) != hex->size)
		return fault_hex(faults, hex);
	char *data = document_allocate(object->document, hex->size / 2 + 1);
	for (size_t i = 0; i < hex->size / 2; i++)
		data[i] =
			(char)(hex_value(hex->text[2 * i]) << 4 | hex_value(hex->text[2 * i + 1]));
	*bytes = (struct bytes){ data, hex->size / 2, object };
	return true;
}

static bool bytes_read(const struct option *option, const struct value *value, struct bytes *bytes,
	const char *due, struct faults *faults)
{
	if (value_member(value, "hex") != NULL)
		return hex_read(value, bytes, faults);
	if (value->unknown) {
		*bytes = unknown_bytes(value);
		return true;
	}
	if (value->kind != VALUE_STRING)
		return fault_kind(faults, option, value, due);
	if (value->size == 0)
		return fault_empty(faults, option, value, "an empty string");
	*bytes = (struct bytes){ value->text, value->size, value };
	return true;
}

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 0;
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t end = newline == NULL ? size : (size_t)(newline - text);
		count += end > at;
		at = end + 1;
	}
	return count;
}

static void take_lines(
	const char *text, size_t size, const struct value *value, struct bytes *items)
{
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t end = newline == NULL ? size : (size_t)(newline - text);
		if (end > at)
			*items++ = (struct bytes){ text + at, end - at, value };
		at = end + 1;
	}
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo); never 0. */
static uint64_t hash_of(const char *text, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

static bool read_file(const struct value *lines, struct bytes_list *list, struct faults *faults)
{
	const struct document *document = lines->document;
	const char *path = document_path(document, lines->text);
	char *text;
	size_t size;
	if (!whole_file_read(document->arena, path, LINES_MOST, &text, &size))
		return fault_at(faults, lines, "name a file that can be read", "cannot read %s: %s",
			path, errno == EFBIG ? "more than 16MiB" : strerror(errno));
	size_t count = count_lines(text, size);
	if (count == 0)
		return fault_at(faults, lines, "write one a line", "there is no line in %s", path);
	list->items = document_allocate(document, count * sizeof(struct bytes));
	list->count = count;
	take_lines(text, size, lines, list->items);
	((struct value *)(uintptr_t)lines)->lines = hash_of(text, size);
	return true;
}

static void take_one(struct bytes_list *list, const struct document *document, struct bytes bytes)
{
	list->items = document_allocate(document, sizeof(struct bytes));
	list->items[0] = bytes;
	list->count = 1;
}

static bool lines_read(const struct value *object, struct bytes_list *list, struct faults *faults)
{
	static const char *const known[] = { "$lines", NULL };
	const struct value *lines = value_member(object, "$lines");
	if (object->first->next != NULL) {
		fault_unknown_key(faults, object->first == lines ? lines->next : object->first,
			"{\"$lines\": …}", known);
		return false;
	}
	if (lines->unknown) {
		take_one(list, object->document, unknown_bytes(lines));
		return true;
	}
	if (lines->kind != VALUE_STRING || lines->size == 0)
		return fault_at(faults, lines, "write {\"$lines\": \"patterns.txt\"}",
			"a file's path is due for \"$lines\", not %s",
			lines->kind == VALUE_STRING ? "an empty string"
						    : value_kind_name(lines->kind));
	return read_file(lines, list, faults);
}

static bool bytes_items_read(const struct option *option, const struct value *value,
	struct bytes_list *list, struct faults *faults)
{
	bool good = true;
	if (value->first == NULL)
		return fault_empty(faults, option, value, "an empty list");
	list->items = document_allocate(value->document, value_count(value) * sizeof(struct bytes));
	list->count = 0;
	for (const struct value *item = value->first; item != NULL; item = item->next) {
		struct bytes *bytes = &list->items[list->count];
		if (bytes_read(option, item, bytes, "a string or {\"hex\": …}", faults))
			list->count++;
		else
			good = false;
	}
	return good;
}

static bool bytes_list_read(const struct option *option, const struct value *value,
	struct bytes_list *list, struct faults *faults)
{
	if (value->kind == VALUE_LIST)
		return bytes_items_read(option, value, list, faults);
	if (value_member(value, "$lines") != NULL)
		return lines_read(value, list, faults);
	struct bytes bytes;
	if (!bytes_read(option, value, &bytes, "a string, {\"hex\": …}, {\"$lines\": …} or a list",
		    faults))
		return false;
	take_one(list, value->document, bytes);
	return true;
}

static bool string_read(const struct option *option, const struct value *value, const char **field,
	const char *due, struct faults *faults)
{
	if (value->kind != VALUE_STRING)
		return fault_kind(faults, option, value, due);
	if (strlen(value->text) != value->size)
		return fault_at(faults, value, NULL, "%s for \"%s\" holds a NUL byte",
			quote_value(value), option->name);
	if (value->size == 0 && option->is_path)
		return fault_empty(faults, option, value, "an empty string");
	*field = value->text;
	return true;
}

static bool strings_read(const struct option *option, const struct value *value,
	struct strings *strings, struct faults *faults)
{
	static const char due[] = "a string or a list of strings";
	bool is_list = value->kind == VALUE_LIST, good = true;
	if (is_list && value->first == NULL)
		return fault_empty(faults, option, value, "an empty list");
	size_t count = is_list ? value_count(value) : 1;
	strings->items = document_allocate(value->document, count * sizeof(char *));
	strings->count = 0;
	for (const struct value *item = is_list ? value->first : value; item != NULL;
		item = is_list ? item->next : NULL) {
		if (string_read(option, item, &strings->items[strings->count], due, faults))
			strings->count++;
		else
			good = false;
	}
	return good;
}

bool bytes_option_read(
	const struct option *option, const struct value *value, void *field, struct faults *faults)
{
	switch (option->type) {
	case OPTION_STRING:
		return string_read(option, value, field, "a string", faults);
	case OPTION_STRINGS:
		return strings_read(option, value, field, faults);
	case OPTION_BYTES:
		return bytes_read(option, value, field, "a string or {\"hex\": …}", faults);
	case OPTION_BYTES_LIST:
		return bytes_list_read(option, value, field, faults);
	default:
		assert(false);
		return false;
	}
}
