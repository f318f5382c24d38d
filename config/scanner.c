/* Most of this is about faults: what people write by habit is told from what is merely wrong. */
#include "config/scanner.h"

#include "config/arena.h"
#include "config/quote.h"
#include "config/utf8.h"

#include <ctype.h>
#include <string.h>

__attribute__((format(printf, 5, 6))) bool scanner_fault(const struct scanner *scanner, size_t from,
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

const char *scanner_quote(const struct scanner *scanner, size_t from, size_t end)
{
	return quote_text(scanner->document, scanner->text + from, end - from);
}

char scanner_peek(const struct scanner *scanner)
{
	return scanner->at < scanner->size ? scanner->text[scanner->at] : '\0';
}

bool scanner_at_end(const struct scanner *scanner)
{
	return scanner->at >= scanner->size;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

void scanner_skip_space(struct scanner *scanner)
{
	while (!scanner_at_end(scanner) && is_space(scanner_peek(scanner)))
		scanner->at++;
}

bool scanner_starts(const struct scanner *scanner, const char *words)
{
	size_t size = strlen(words);
	return scanner->size - scanner->at >= size &&
	       memcmp(scanner->text + scanner->at, words, size) == 0;
}

static bool is_word_byte(char byte)
{
	return isalnum((unsigned char)byte) || (byte != '\0' && strchr("_-+.$", byte) != NULL);
}

size_t scanner_word_end(const struct scanner *scanner, size_t from)
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

bool scanner_fault_end(const struct scanner *scanner)
{
	size_t end = scanner->size;
	while (end > 0 && is_space(scanner->text[end - 1]))
		end--;
	const struct value *inside = scanner->inside;
	if (inside == NULL)
		return scanner_fault(scanner, end, end, "write an object: {\"pipelines\": {…}}",
			"the configuration is empty");
	bool object = inside->kind == VALUE_OBJECT;
	return scanner_fault(scanner, end, end, object ? "write }" : "write ]",
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
	if (scanner_starts(scanner, "//") || scanner_starts(scanner, "/*") || *place == '#')
		return !scanner_fault(scanner, at, at + 1,
			"write it as a member whose key begins with //: {\"//\": \"…\"}",
			"JSON has no comments");
	if (*place == '\'')
		return !scanner_fault(scanner, at, at + 1, requoted(scanner),
			"strings and keys stand in double quotes");
	if (scanner_starts(scanner, "“") || scanner_starts(scanner, "”") ||
		scanner_starts(scanner, "„"))
		return !scanner_fault(scanner, at, at + length, "write \"",
			"strings and keys stand in plain double quotes");
	if (at == 0 && (scanner_starts(scanner, "\xff\xfe") || scanner_starts(scanner, "\xfe\xff")))
		return !scanner_fault(
			scanner, 0, 2, "save it as UTF-8", "the text is UTF-16, not UTF-8");
	return length == 0 &&
	       !scanner_fault(scanner, at, at + 1, "save it as UTF-8", "this byte is not UTF-8");
}

bool scanner_fault_byte(const struct scanner *scanner, const char *due, const char *remedy)
{
	if (scanner_at_end(scanner))
		return scanner_fault_end(scanner);
	if (fault_habit(scanner))
		return false;
	size_t at = scanner->at;
	size_t length = utf8_sequence(scanner->text + at, scanner->size - at, NULL);
	return scanner_fault(scanner, at, at + length, remedy, "%s is due, not %s", due,
		scanner_quote(scanner, at, at + length));
}
