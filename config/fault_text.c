/* A fault as a person reads it, with a caret below the place. */
#include "config/fault.h"

#include "config/memory.h"
#include "config/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_visible(FILE *out, const char *text)
{
	char shown[VISIBLE_ROOM];
	size_t cells;
	for (size_t at = 0, size = strlen(text); at < size;) {
		at += utf8_visible(text + at, size - at, shown, &cells);
		fputs(shown, out);
	}
}

/* Where the caret stands and how far it underlines, in cells of the terminal. */
struct caret {
	size_t cells, width;
};

/* Prints the source line; a tab is four cells, so that the caret stands right on every terminal. */
static struct caret print_source(FILE *out, const struct fault *fault)
{
	const char *source = fault->source;
	size_t size = strlen(source), place = fault->column - fault->source_column;
	struct caret caret = { 0 };
	for (size_t at = 0; at < size;) {
		char shown[VISIBLE_ROOM] = "    ";
		size_t cells = 4, start = at;
		if (source[at] == '\t')
			at++;
		else
			at += utf8_visible(source + at, size - at, shown, &cells);
		fputs(shown, out);
		if (start < place)
			caret.cells += cells;
		else if (start < place + fault->width)
			caret.width += cells;
	}
	return caret;
}

static void print_line_with_caret(FILE *out, const struct fault *fault)
{
	const char *before = fault->source_column > 1 ? "…" : "";
	fprintf(out, "%5u | %s", fault->line, before);
	struct caret caret = print_source(out, fault);
	fprintf(out, "%s\n      | %*s^", fault->source_cut ? "…" : "",
		(int)(caret.cells + (*before != '\0')), "");
	for (size_t i = 1; i < caret.width; i++)
		fputc('~', out);
	fputc('\n', out);
}

static void print_fault(FILE *out, const struct fault *fault)
{
	if (fault->file != NULL) {
		print_visible(out, fault->file);
		fprintf(out, ":%u:%u: ", fault->line, fault->column);
	}
	fprintf(out, "%s%s\n", fault->warning ? "warning: " : "", fault->message);
	if (fault->pointer != NULL && fault->pointer[0] != '\0') {
		fputs("  at ", out);
		print_visible(out, fault->pointer);
		fputc('\n', out);
	}
	if (fault->source != NULL)
		print_line_with_caret(out, fault);
	if (fault->remedy != NULL)
		fprintf(out, "  remedy: %s\n", fault->remedy);
}

char *fault_text(const struct fault *fault)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	print_fault(out, fault);
	memory_text_close(out);
	return text;
}
