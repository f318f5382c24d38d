/* A recursive descent over JSON; its depth is bounded by JSON_DEPTH. The first fault ends it, because what follows
 * could mean anything; what people write by habit is told from what is merely wrong. */
#include "config/json_text.h"

#include "config/arena.h"
#include "config/nearest.h"
#include "config/quote.h"
#include "config/utf8.h"

#include <ctype.h>
#include <string.h>

struct scanner {
	const struct document *document;
	struct faults *faults;
	const char *text;
	size_t size, at;
	unsigned depth;
	struct value *inside;  /* the innermost object or list; NULL outside of the root */
	struct value *current; /* what faults point at */
};

/* A fault at a place in the text that need not be a value's; the pointer is that of the value around it. */
__attribute__((format(printf, 5, 6))) static bool wrong(const struct scanner *scanner, size_t from,
	size_t end, const char *remedy, const char *format, ...)
{
	struct value place = *scanner->current;
	place.kind = VALUE_STRING;
	place.document = scanner->document;
	place.offset = from;
	place.end = end;
	va_list arguments;
	va_start(arguments, format);
	char *message = arena_format_list(scanner->document->arena, format, arguments);
	va_end(arguments);
	return fault_at(scanner->faults, &place, remedy, "%s", message);
}

static const char *quoted(const struct scanner *scanner, size_t from, size_t end)
{
	return quote_text(scanner->document, scanner->text + from, end - from);
}

/* The byte at the place; 0 behind the end (a NUL in the text is a fault in any case). */
static char peek(const struct scanner *scanner)
{
	return scanner->at < scanner->size ? scanner->text[scanner->at] : '\0';
}

static bool at_end(const struct scanner *scanner)
{
	return scanner->at >= scanner->size;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(struct scanner *scanner)
{
	while (!at_end(scanner) && is_space(peek(scanner)))
		scanner->at++;
}

static bool starts(const struct scanner *scanner, const char *words)
{
	size_t size = strlen(words);
	return scanner->size - scanner->at >= size &&
	       memcmp(scanner->text + scanner->at, words, size) == 0;
}

static bool is_word_byte(char byte)
{
	return isalnum((unsigned char)byte) || (byte != '\0' && strchr("_-+.$", byte) != NULL);
}

/* Where a run of letters, digits and what numbers are made of ends. */
static size_t word_end(const struct scanner *scanner, size_t from)
{
	size_t end = from;
	while (end < scanner->size && is_word_byte(scanner->text[end]))
		end++;
	return end;
}

static unsigned line_of(const struct scanner *scanner, size_t offset)
{
	unsigned line = 1;
	for (size_t i = 0; i < offset; i++)
		line += scanner->text[i] == '\n';
	return line;
}

/* The text is over, inside of something: said behind its last character. */
static bool fault_end(const struct scanner *scanner)
{
	size_t end = scanner->size;
	while (end > 0 && is_space(scanner->text[end - 1]))
		end--;
	const struct value *inside = scanner->inside;
	if (inside == NULL)
		return wrong(scanner, end, end, "write an object: {\"pipelines\": {…}}",
			"the configuration is empty");
	bool object = inside->kind == VALUE_OBJECT;
	return wrong(scanner, end, end, object ? "write }" : "write ]",
		"the text ends inside of the %s that begins in line %u", object ? "object" : "list",
		line_of(scanner, inside->offset));
}

/* What stands between single quotes, in double ones. */
static const char *requoted(const struct scanner *scanner)
{
	const char *start = scanner->text + scanner->at + 1;
	size_t rest = scanner->size - scanner->at - 1, most = rest < 60 ? rest : 60;
	const char *close = memchr(start, '\'', most);
	if (close == NULL || memchr(start, '\n', (size_t)(close - start)) != NULL)
		return "write \"…\"";
	return arena_format(
		scanner->document->arena, "write \"%.*s\"", (int)(close - start), start);
}

/* What people write by habit, or what is no UTF-8. True if it was that, and the fault is added. */
static bool fault_habit(const struct scanner *scanner)
{
	const char *place = scanner->text + scanner->at;
	size_t at = scanner->at, length = utf8_sequence(place, scanner->size - at, NULL);
	if (starts(scanner, "//") || starts(scanner, "/*") || *place == '#')
		return !wrong(scanner, at, at + 1,
			"write it as a member whose key begins with //: {\"//\": \"…\"}",
			"JSON has no comments");
	if (*place == '\'')
		return !wrong(scanner, at, at + 1, requoted(scanner),
			"strings and keys stand in double quotes");
	if (starts(scanner, "“") || starts(scanner, "”") || starts(scanner, "„"))
		return !wrong(scanner, at, at + length, "write \"",
			"strings and keys stand in plain double quotes");
	if (at == 0 && (starts(scanner, "\xff\xfe") || starts(scanner, "\xfe\xff")))
		return !wrong(scanner, 0, 2, "save it as UTF-8", "the text is UTF-16, not UTF-8");
	return length == 0 &&
	       !wrong(scanner, at, at + 1, "save it as UTF-8", "this byte is not UTF-8");
}

/* A byte that begins nothing in JSON. `due` says what could be there. Always returns false. */
static bool fault_byte(const struct scanner *scanner, const char *due, const char *remedy)
{
	if (at_end(scanner))
		return fault_end(scanner);
	if (fault_habit(scanner))
		return false;
	size_t at = scanner->at;
	size_t length = utf8_sequence(scanner->text + at, scanner->size - at, NULL);
	return wrong(scanner, at, at + length, remedy, "%s is due, not %s", due,
		quoted(scanner, at, at + length));
}

static size_t hex_digits(const char *text, size_t size, uint32_t *code)
{
	size_t count = 0;
	*code = 0;
	for (; count < 4 && count < size && isxdigit((unsigned char)text[count]); count++) {
		char lower = (char)tolower((unsigned char)text[count]);
		unsigned digit = (unsigned)(lower <= '9' ? lower - '0' : lower - 'a' + 10);
		*code = *code << 4 | digit;
	}
	return count;
}

/* The second half of a pair that \u spells; the place is behind the first. */
static bool scan_second_half(struct scanner *scanner, size_t from)
{
	uint32_t code = 0;
	if (!starts(scanner, "\\u") ||
		hex_digits(scanner->text + scanner->at + 2, scanner->size - scanner->at - 2,
			&code) != 4 ||
		code < 0xdc00 || code > 0xdfff)
		return wrong(scanner, from, from + 6, "write both halves, or the character itself",
			"half of a surrogate pair");
	scanner->at += 6;
	return true;
}

static bool scan_code(struct scanner *scanner, bool *nul)
{
	size_t from = scanner->at;
	uint32_t code;
	size_t digits = hex_digits(scanner->text + from + 2, scanner->size - from - 2, &code);
	if (digits < 4)
		return wrong(scanner, from, from + 2 + digits, "write four hexadecimal digits",
			"\\u without four hexadecimal digits");
	scanner->at += 6;
	if (code == 0) {
		*nul = true;
		wrong(scanner, from, from + 6,
			"leave it out; where bytes are asked for, write {\"hex\": \"00\"}",
			"\\u0000 cannot be in a string");
	}
	if (code >= 0xdc00 && code <= 0xdfff)
		return wrong(scanner, from, from + 6, "write both halves, or the character itself",
			"half of a surrogate pair");
	return code < 0xd800 || code > 0xdbff || scan_second_half(scanner, from);
}

static bool scan_escape(struct scanner *scanner, bool *nul)
{
	size_t from = scanner->at;
	char letter = from + 1 < scanner->size ? scanner->text[from + 1] : '\0';
	if (letter == 'u')
		return scan_code(scanner, nul);
	if (letter != '\0' && strchr("\"\\/bfnrt", letter) != NULL) {
		scanner->at += 2;
		return true;
	}
	if (isgraph((unsigned char)letter))
		return wrong(scanner, from, from + 2,
			arena_format(scanner->document->arena, "write \\\\%c", letter),
			"\\%c is no escape in JSON", letter);
	return wrong(scanner, from, from + 1, "write \\\\", "a backslash that escapes nothing");
}

static bool fault_control(const struct scanner *scanner, size_t from)
{
	char byte = peek(scanner);
	size_t at = scanner->at;
	if (byte == '\n' || byte == '\r' || at_end(scanner))
		return wrong(scanner, from, from + 1, "write \" at its end; a line's end is \\n",
			"the string does not end in its line");
	return wrong(scanner, at, at + 1,
		byte == '\t' ? "write \\t"
			     : arena_format(scanner->document->arena, "write \\u%04x", byte),
		"a control character in a string");
}

/* From one quote behind the other. `nul` is set if \u0000 is in it. */
static bool scan_string(struct scanner *scanner, bool *nul)
{
	size_t from = scanner->at++;
	while (peek(scanner) != '"') {
		unsigned char byte = (unsigned char)peek(scanner);
		if (byte < 0x20)
			return fault_control(scanner, from);
		if (byte == '\\') {
			if (!scan_escape(scanner, nul))
				return false;
			continue;
		}
		size_t at = scanner->at;
		size_t length = utf8_sequence(scanner->text + at, scanner->size - at, NULL);
		if (length == 0)
			return wrong(
				scanner, at, at + 1, "save it as UTF-8", "this byte is not UTF-8");
		scanner->at += length;
	}
	scanner->at++;
	return true;
}

static size_t digits_at(const struct scanner *scanner, size_t at)
{
	size_t count = 0;
	while (at + count < scanner->size && isdigit((unsigned char)scanner->text[at + count]))
		count++;
	return count;
}

static char byte_at(const struct scanner *scanner, size_t at)
{
	return at < scanner->size ? scanner->text[at] : '\0';
}

/* Where the number that begins at `at` ends by the grammar; `at` itself if none begins. */
static size_t number_end(const struct scanner *scanner, size_t at)
{
	size_t from = at;
	at += byte_at(scanner, at) == '-';
	size_t whole = digits_at(scanner, at);
	if (whole == 0 || (whole > 1 && byte_at(scanner, at) == '0'))
		return from;
	at += whole;
	if (byte_at(scanner, at) == '.') {
		size_t fraction = digits_at(scanner, at + 1);
		if (fraction == 0)
			return from;
		at += 1 + fraction;
	}
	if (byte_at(scanner, at) == 'e' || byte_at(scanner, at) == 'E') {
		size_t sign = byte_at(scanner, at + 1) == '+' || byte_at(scanner, at + 1) == '-';
		size_t exponent = digits_at(scanner, at + 1 + sign);
		if (exponent == 0)
			return from;
		at += 1 + sign + exponent;
	}
	return at;
}

static bool scan_number(struct scanner *scanner, struct value *value)
{
	size_t from = scanner->at, end = word_end(scanner, from);
	if (number_end(scanner, from) != end)
		return wrong(scanner, from, end, "write a decimal number, or a string in quotes",
			"%s is not a number", quoted(scanner, from, end));
	if (end - from > JSON_NUMBER_SIZE)
		return wrong(scanner, from, end, "write fewer digits",
			"a number of more than %d characters", JSON_NUMBER_SIZE);
	value->kind = VALUE_NUMBER;
	value->size = end - from;
	value->text = arena_copy(scanner->document->arena, scanner->text + from, end - from);
	scanner->at = end;
	return true;
}

static const char *word_remedy(const struct scanner *scanner, size_t from, size_t end)
{
	static const char *const ours[] = { "true", "false", "null", NULL };
	static const struct {
		const char *theirs, *ours;
	} words[] = { { "yes", "true" }, { "on", "true" }, { "no", "false" }, { "off", "false" },
		{ "none", "null" }, { "nil", "null" }, { "undefined", "null" } };
	struct arena *arena = scanner->document->arena;
	const char *word = arena_copy(arena, scanner->text + from, end - from);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].theirs, word) == 0)
			return arena_format(arena, "write %s", words[i].ours);
	const char *near = nearest(word, ours);
	return near != NULL ? arena_format(arena, "write %s, or \"%s\"", near, word)
			    : arena_format(arena, "write \"%s\"", word);
}

static bool scan_word(struct scanner *scanner, struct value *value)
{
	size_t from = scanner->at, end = word_end(scanner, from), size = end - from;
	scanner->at = end;
	const char *word = scanner->text + from;
	value->kind = VALUE_BOOL;
	value->truth = size == 4 && memcmp(word, "true", 4) == 0;
	if (value->truth || (size == 5 && memcmp(word, "false", 5) == 0))
		return true;
	value->kind = VALUE_NULL;
	if (size == 4 && memcmp(word, "null", 4) == 0)
		return true;
	return wrong(scanner, from, end, word_remedy(scanner, from, end),
		"a string stands in double quotes");
}

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
	bool object = close == '}', closes = peek(scanner) == '}' || peek(scanner) == ']';
	const char *remedy = !closes ? "write a comma" : object ? "write }" : "write ]";
	return fault_byte(scanner, object ? "\",\" or \"}\"" : "\",\" or \"]\"", remedy);
}

/* Behind a value: a comma and more (true), or the end (`*more` false). */
static bool scan_comma(struct scanner *scanner, char close, bool *more)
{
	skip_space(scanner);
	*more = peek(scanner) == ',';
	size_t comma = scanner->at;
	char byte = peek(scanner);
	if (byte == close) {
		scanner->at++;
		return true;
	}
	if (byte == '"' || byte == '{' || byte == '[' || byte == '-' ||
		isalnum((unsigned char)byte))
		return wrong(scanner, comma, comma + 1, "write a comma before it",
			"a comma is missing before this");
	if (!*more)
		return fault_between(scanner, close);
	scanner->at++;
	skip_space(scanner);
	if (peek(scanner) == '}' || peek(scanner) == ']')
		return wrong(scanner, comma, comma + 1, "leave the comma out",
			"a comma with nothing behind it");
	return true;
}

static bool fault_key(const struct scanner *scanner)
{
	size_t from = scanner->at, end = word_end(scanner, from);
	if (end == from)
		return fault_byte(scanner, "a key in double quotes",
			peek(scanner) == ',' ? "leave the comma out" : "write \"…\"");
	return wrong(scanner, from, end,
		arena_format(scanner->document->arena, "write \"%.*s\"", (int)(end - from),
			scanner->text + from),
		"keys stand in double quotes");
}

static bool scan_key(struct scanner *scanner, struct value *member)
{
	if (peek(scanner) != '"')
		return fault_key(scanner);
	bool nul = false;
	member->key_offset = scanner->at;
	if (!scan_string(scanner, &nul))
		return false;
	member->key_end = scanner->at;
	member->key = arena_copy(scanner->document->arena, scanner->text + member->key_offset + 1,
		scanner->at - member->key_offset - 2);
	skip_space(scanner);
	if (peek(scanner) != ':' && !at_end(scanner))
		return wrong(scanner, scanner->at, scanner->at + 1, "write \":\" behind the key",
			"\":\" is missing between key and value");
	if (at_end(scanner))
		return fault_end(scanner);
	scanner->at++;
	return true;
}

/* The members or items of what was opened, up to its end. */
static bool scan_inside(struct scanner *scanner, struct value *value, char close)
{
	scanner->at++;
	skip_space(scanner);
	bool more = peek(scanner) != close;
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
	bool object = peek(scanner) == '{';
	if (scanner->depth == JSON_DEPTH)
		return wrong(scanner, scanner->at, scanner->at + 1, "make it flatter",
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
	char byte = peek(scanner);
	if (byte == '{' || byte == '[')
		return scan_container(scanner, value);
	if (byte == '"') {
		value->kind = VALUE_STRING;
		return scan_string(scanner, &value->unknown);
	}
	if (isalpha((unsigned char)byte) || byte == '_' || byte == '$')
		return scan_word(scanner, value);
	if (isdigit((unsigned char)byte) || (byte != '\0' && strchr("-+.", byte) != NULL))
		return scan_number(scanner, value);
	return fault_byte(scanner, "a value",
		peek(scanner) == ',' ? "leave the comma out"
				     : "write \"…\", a number, true, false, null, {…} or […]");
}

static bool scan_value(struct scanner *scanner, struct value *value)
{
	skip_space(scanner);
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
	skip_space(&scanner);
	if (at_end(&scanner))
		return fault_end(&scanner), NULL;
	if (!scan_value(&scanner, root))
		return NULL;
	skip_space(&scanner);
	if (at_end(&scanner))
		return root;
	if (peek(&scanner) == '/' || peek(&scanner) == '#')
		return fault_byte(&scanner, "the end", "leave it out"), NULL;
	wrong(&scanner, scanner.at, scanner.at + 1, "leave it out: a file holds one configuration",
		"text behind the end of the configuration");
	return NULL;
}
