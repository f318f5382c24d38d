/* A recursive descent over JSON; its depth is bounded by JSON_DEPTH. The first fault ends it, because what follows
 * could mean anything. */
#include "config/json_text.h"

#include "config/arena.h"
#include "config/json_scalar.h"
#include "config/json_string.h"
#include "config/scanner.h"

#include <ctype.h>
#include <string.h>

static bool scan_value(struct scanner *scanner, struct value *value);

static struct value *append(struct scanner *scanner, struct value *parent, struct value *last)
{
	struct value *value = document_allocate(scanner->document, sizeof(*value));
	value->document = scanner->document;
	value->parent = parent;
	value->index = last == NULL ? 0 : last->index + 1;
	if (last == NULL)
		parent->first = value;
	else
		last->next = value;
	return value;
}

/* Neither a comma nor the end that is due. */
static bool fault_between(const struct scanner *scanner, char close)
{
	bool object = close == '}',
	     closes = scanner_peek(scanner) == '}' || scanner_peek(scanner) == ']';
	const char *remedy = !closes ? "write a comma" : object ? "write }" : "write ]";
	return scanner_fault_byte(scanner, object ? "\",\" or \"}\"" : "\",\" or \"]\"", remedy);
}

/* Behind a value: a comma and more (true), or the end (`*more` false). */
static bool scan_comma(struct scanner *scanner, char close, bool *more)
{
	scanner_skip_space(scanner);
	*more = scanner_peek(scanner) == ',';
	size_t comma = scanner->at;
	char byte = scanner_peek(scanner);
	if (byte == close) {
		scanner->at++;
		return true;
	}
	if (byte == '"' || byte == '{' || byte == '[' || byte == '-' ||
		isalnum((unsigned char)byte))
		return scanner_fault(scanner, comma, comma + 1, "write a comma before it",
			"a comma is missing before this");
	if (!*more)
		return fault_between(scanner, close);
	scanner->at++;
	scanner_skip_space(scanner);
	if (scanner_peek(scanner) == '}' || scanner_peek(scanner) == ']')
		return scanner_fault(scanner, comma, comma + 1, "leave the comma out",
			"a comma with nothing behind it");
	return true;
}

static bool fault_key(const struct scanner *scanner)
{
	size_t from = scanner->at, end = scanner_word_end(scanner, from);
	if (end == from)
		return scanner_fault_byte(scanner, "a key in double quotes",
			scanner_peek(scanner) == ',' ? "leave the comma out" : "write \"…\"");
	return scanner_fault(scanner, from, end,
		arena_format(scanner->document->arena, "write \"%.*s\"", (int)(end - from),
			scanner->text + from),
		"keys stand in double quotes");
}

static bool scan_key(struct scanner *scanner, struct value *member)
{
	if (scanner_peek(scanner) != '"')
		return fault_key(scanner);
	bool nul = false;
	member->key_offset = scanner->at;
	if (!json_string_scan(scanner, &nul))
		return false;
	member->key_end = scanner->at;
	member->key = arena_copy(scanner->document->arena, scanner->text + member->key_offset + 1,
		scanner->at - member->key_offset - 2);
	scanner_skip_space(scanner);
	if (scanner_peek(scanner) != ':' && !scanner_at_end(scanner))
		return scanner_fault(scanner, scanner->at, scanner->at + 1,
			"write \":\" behind the key", "\":\" is missing between key and value");
	if (scanner_at_end(scanner))
		return scanner_fault_end(scanner);
	scanner->at++;
	return true;
}

/* The members or items of what was opened, up to its end. */
static bool scan_inside(struct scanner *scanner, struct value *value, char close)
{
	scanner->at++;
	scanner_skip_space(scanner);
	bool more = scanner_peek(scanner) != close;
	scanner->at += !more;
	for (struct value *last = NULL; more;) {
		last = append(scanner, value, last);
		if (close == '}' && !scan_key(scanner, last))
			return false;
		scanner->current = last;
		if (!scan_value(scanner, last))
			return false;
		scanner->current = value;
		if (!scan_comma(scanner, close, &more))
			return false;
	}
	return true;
}

static bool scan_container(struct scanner *scanner, struct value *value)
{
	struct value *outside = scanner->inside;
	bool object = scanner_peek(scanner) == '{';
	if (scanner->depth == JSON_DEPTH)
		return scanner_fault(scanner, scanner->at, scanner->at + 1, "make it flatter",
			"nested deeper than %d", JSON_DEPTH);
	value->kind = object ? VALUE_OBJECT : VALUE_LIST;
	scanner->inside = scanner->current = value;
	scanner->depth++;
	if (!scan_inside(scanner, value, object ? '}' : ']'))
		return false;
	scanner->depth--;
	scanner->inside = outside;
	return true;
}

static bool scan_by_first_byte(struct scanner *scanner, struct value *value)
{
	char byte = scanner_peek(scanner);
	if (byte == '{' || byte == '[')
		return scan_container(scanner, value);
	if (byte == '"') {
		value->kind = VALUE_STRING;
		return json_string_scan(scanner, &value->unknown);
	}
	if (isalpha((unsigned char)byte) || byte == '_' || byte == '$')
		return json_scalar_word(scanner, value);
	if (isdigit((unsigned char)byte) || (byte != '\0' && strchr("-+.", byte) != NULL))
		return json_scalar_number(scanner, value);
	return scanner_fault_byte(scanner, "a value",
		scanner_peek(scanner) == ','
			? "leave the comma out"
			: "write \"…\", a number, true, false, null, {…} or […]");
}

static bool scan_value(struct scanner *scanner, struct value *value)
{
	scanner_skip_space(scanner);
	value->offset = scanner->at;
	if (!scan_by_first_byte(scanner, value))
		return false;
	value->end = scanner->at;
	return true;
}

struct value *json_text_scan(const struct document *document, struct faults *faults)
{
	struct scanner scanner = { .document = document,
		.faults = faults,
		.text = document->text,
		.size = document->size };
	struct value *root = document_allocate(document, sizeof(*root));
	root->document = document;
	scanner.current = root;
	scanner_skip_space(&scanner);
	if (scanner_at_end(&scanner))
		return scanner_fault_end(&scanner), NULL;
	if (!scan_value(&scanner, root))
		return NULL;
	scanner_skip_space(&scanner);
	if (scanner_at_end(&scanner))
		return root;
	if (scanner_peek(&scanner) == '/' || scanner_peek(&scanner) == '#')
		return scanner_fault_byte(&scanner, "the end", "leave it out"), NULL;
	scanner_fault(&scanner, scanner.at, scanner.at + 1,
		"leave it out: a file holds one configuration",
		"text behind the end of the configuration");
	return NULL;
}
