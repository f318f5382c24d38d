/* Strings of JSON: RFC 8259, section 7. What they mean is left to cJSON. */
#include "config/json_string.h"

#include "config/arena.h"
#include "config/utf8.h"

#include <ctype.h>
#include <string.h>

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
	if (!scanner_starts(scanner, "\\u") ||
		hex_digits(scanner->text + scanner->at + 2, scanner->size - scanner->at - 2,
			&code) != 4 ||
		code < 0xdc00 || code > 0xdfff)
		return scanner_fault(scanner, from, from + 6,
			"write both halves, or the character itself", "half of a surrogate pair");
	scanner->at += 6;
	return true;
}

static bool scan_code(struct scanner *scanner, bool *nul)
{
	size_t from = scanner->at;
	uint32_t code;
	size_t digits = hex_digits(scanner->text + from + 2, scanner->size - from - 2, &code);
	if (digits < 4)
		return scanner_fault(scanner, from, from + 2 + digits,
			"write four hexadecimal digits", "\\u without four hexadecimal digits");
	scanner->at += 6;
	if (code == 0) {
		*nul = true;
		scanner_fault(scanner, from, from + 6,
			"leave it out; where bytes are asked for, write {\"hex\": \"00\"}",
			"\\u0000 cannot be in a string");
	}
	if (code >= 0xdc00 && code <= 0xdfff)
		return scanner_fault(scanner, from, from + 6,
			"write both halves, or the character itself", "half of a surrogate pair");
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
		return scanner_fault(scanner, from, from + 2,
			arena_format(scanner->document->arena, "write \\\\%c", letter),
			"\\%c is no escape in JSON", letter);
	return scanner_fault(
		scanner, from, from + 1, "write \\\\", "a backslash that escapes nothing");
}

static bool fault_control(const struct scanner *scanner, size_t from)
{
	char byte = scanner_peek(scanner);
	size_t at = scanner->at;
	if (byte == '\n' || byte == '\r' || scanner_at_end(scanner))
		return scanner_fault(scanner, from, from + 1,
			"write \" at its end; a line's end is \\n",
			"the string does not end in its line");
	return scanner_fault(scanner, at, at + 1,
		byte == '\t' ? "write \\t"
			     : arena_format(scanner->document->arena, "write \\u%04x", byte),
		"a control character in a string");
}

bool json_string_scan(struct scanner *scanner, bool *nul)
{
	size_t from = scanner->at++;
	while (scanner_peek(scanner) != '"') {
		unsigned char byte = (unsigned char)scanner_peek(scanner);
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
			return scanner_fault(
				scanner, at, at + 1, "save it as UTF-8", "this byte is not UTF-8");
		scanner->at += length;
	}
	scanner->at++;
	return true;
}
