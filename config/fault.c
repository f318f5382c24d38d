/* Collecting and sorting faults. A fault owns all its texts: it outlives the document. */
#include "config/fault.h"

#include "config/document.h"
#include "config/memory.h"
#include "config/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SOURCE_BEFORE = 50, /* bytes of a long line that are shown before the place */
	SOURCE_BEHIND = 70, /* and from it on */
	SOURCE_WHOLE = 100  /* a line of up to this many is shown whole */
};

static char *copy(const char *text, size_t size)
{
	return memory_needed(strndup(text, size));
}

void faults_close(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->items[i];
		const char *const texts[] = { fault->file, fault->pointer, fault->source,
			fault->message, fault->remedy };
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free((void *)(uintptr_t)texts[k]);
	}
	free(faults->items);
	*faults = (struct faults){ 0 };
}

static struct fault *append(struct faults *faults)
{
	if (faults->count == faults->room) {
		faults->room = faults->room == 0 ? 16 : faults->room * 2;
		faults->items = memory_needed(
			reallocarray(faults->items, faults->room, sizeof(*faults->items)));
	}
	struct fault *fault = &faults->items[faults->count++];
	*fault = (struct fault){ 0 };
	return fault;
}

/* A key in a JSON pointer: `~` and `/` are escaped (RFC 6901, section 3). */
static void pointer_append_key(FILE *out, const char *key)
{
	for (; *key != '\0'; key++) {
		if (*key == '~')
			fputs("~0", out);
		else if (*key == '/')
			fputs("~1", out);
		else
			fputc(*key, out);
	}
}

/* The depth of a document is bounded, and so is this recursion. */
static void pointer_append(FILE *out, const struct value *value)
{
	if (value->parent == NULL)
		return;
	pointer_append(out, value->parent);
	fputc('/', out);
	if (value->key != NULL)
		pointer_append_key(out, value->key);
	else
		fprintf(out, "%zu", value->index);
}

static char *pointer_of(const struct value *value)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	pointer_append(out, value);
	memory_text_close(out);
	return text;
}

static bool inside_sequence(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Takes the source line of the place, or what of it is near. */
static void take_source(struct fault *fault, const char *line, size_t size, size_t place)
{
	size_t from = 0, end = size;
	if (size > SOURCE_WHOLE) {
		from = place > SOURCE_BEFORE ? place - SOURCE_BEFORE : 0;
		end = size - place > SOURCE_BEHIND ? place + SOURCE_BEHIND : size;
	}
	while (from > 0 && from < place && inside_sequence(line[from]))
		from++;
	while (end < size && end > place && inside_sequence(line[end]))
		end--;
	fault->source = copy(line + from, end - from);
	fault->source_column = (uint32_t)from + 1;
	fault->source_cut = end < size;
}

static void take_place(struct fault *fault, const struct value *value, size_t offset, size_t width)
{
	const struct document *document = value->document;
	const char *start = document->text, *place = start + offset;
	const char *newline = memrchr(start, '\n', offset);
	const char *line = newline == NULL ? start : newline + 1;
	const char *end = memchr(place, '\n', document->size - offset);
	if (end == NULL)
		end = start + document->size;
	if (end > place && end[-1] == '\r')
		end--;
	fault->line = 1;
	for (const char *at = start; (at = memchr(at, '\n', (size_t)(line - at))) != NULL; at++)
		fault->line++;
	fault->file = copy(document->name, strlen(document->name));
	fault->column = (uint32_t)(place - line) + 1;
	fault->pointer = pointer_of(value);
	fault->order = offset;
	fault->width = (uint32_t)width;
	take_source(fault, line, (size_t)(end - line), (size_t)(place - line));
}

static const char *take_text(const char *text)
{
	return text == NULL ? NULL : utf8_visible_text(text, strlen(text));
}

__attribute__((format(printf, 3, 0))) static struct fault *add(
	struct faults *faults, const char *remedy, const char *format, va_list arguments)
{
	char *message;
	int size = vasprintf(&message, format, arguments);
	assert(size >= 0);
	struct fault *fault = append(faults);
	fault->message = take_text(message);
	fault->remedy = take_text(remedy);
	free(message);
	return fault;
}

static bool value_is_scalar(const struct value *value)
{
	return value->kind != VALUE_LIST && value->kind != VALUE_OBJECT && !value->secret;
}

static void take_value_place(struct fault *fault, const struct value *value)
{
	if (value == NULL || value->document == NULL)
		return;
	size_t width = value_is_scalar(value) && value->end > value->offset
			       ? value->end - value->offset
			       : 1;
	take_place(fault, value, value->offset, width);
}

bool fault_at(struct faults *faults, const struct value *value, const char *remedy,
	const char *message, ...)
{
	va_list arguments;
	va_start(arguments, message);
	struct fault *fault = add(faults, remedy, message, arguments);
	va_end(arguments);
	take_value_place(fault, value);
	faults->errors++;
	return false;
}

bool fault_at_key(struct faults *faults, const struct value *value, const char *remedy,
	const char *message, ...)
{
	assert(value != NULL && value->key != NULL);
	va_list arguments;
	va_start(arguments, message);
	struct fault *fault = add(faults, remedy, message, arguments);
	va_end(arguments);
	take_place(fault, value, value->key_offset, value->key_end - value->key_offset);
	faults->errors++;
	return false;
}

bool warning_at(struct faults *faults, const struct value *value, const char *remedy,
	const char *message, ...)
{
	va_list arguments;
	va_start(arguments, message);
	struct fault *fault = add(faults, remedy, message, arguments);
	va_end(arguments);
	take_value_place(fault, value);
	fault->warning = true;
	return true;
}

/* A fault with its place in the row, which keeps the sort stable. */
struct ranked {
	struct fault fault;
	size_t rank;
};

static int compare(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if ((a->fault.file == NULL) != (b->fault.file == NULL))
		return a->fault.file == NULL ? 1 : -1;
	int files = a->fault.file == NULL ? 0 : strcmp(a->fault.file, b->fault.file);
	if (files != 0)
		return files;
	if (a->fault.order != b->fault.order)
		return a->fault.order < b->fault.order ? -1 : 1;
	return a->rank < b->rank ? -1 : 1;
}

void faults_sort(struct faults *faults)
{
	if (faults->count < 2)
		return;
	struct ranked *ranked = memory_needed(calloc(faults->count, sizeof(*ranked)));
	for (size_t i = 0; i < faults->count; i++)
		ranked[i] = (struct ranked){ faults->items[i], i };
	qsort(ranked, faults->count, sizeof(*ranked), compare);
	for (size_t i = 0; i < faults->count; i++)
		faults->items[i] = ranked[i].fault;
	free(ranked);
}
