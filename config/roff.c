/* A backslash begins an escape, a dot or apostrophe at a line's start a request; a plain hyphen may be set as a dash. */
#include "config/roff.h"

#include <stdbool.h>

static void print_character(FILE *out, char character)
{
	switch (character) {
	case '\\':
		fputs("\\e", out);
		break;
	case '-':
		fputs("\\-", out);
		break;
	case '~':
		fputs("\\(ti", out);
		break;
	case '^':
		fputs("\\(ha", out);
		break;
	default:
		fputc(character, out);
	}
}

static bool begins_request(char character)
{
	return character == '.' || character == '\'';
}

void roff_text(FILE *out, const char *text)
{
	bool bold = false;
	if (begins_request(*text))
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '`')
			fputs((bold = !bold) ? "\\fB" : "\\fR", out);
		else
			print_character(out, *text);
	}
}

void roff_line(FILE *out, const char *text)
{
	roff_text(out, text);
	fputc('\n', out);
}

void roff_example(FILE *out, const char *lines)
{
	fputs(".PP\n.RS 4\n.nf\n", out);
	for (bool starts = true; *lines != '\0'; lines++) {
		if (starts && begins_request(*lines))
			fputs("\\&", out);
		print_character(out, *lines);
		starts = *lines == '\n';
	}
	fputs(".fi\n.RE\n", out);
}
