/* The help on one command, made from the table of commands: lines that fit a terminal. */
#include "daemon/help.h"

#include "config/memory.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 26 };

/* Prints words from column `at` on, each line after the first behind `indent` blanks; without backticks. */
static void print_wrapped(FILE *out, const char *text, int at, int indent)
{
	const char *between = "";

	while (*text) {
		const int size = (int)strcspn(text, " ");
		if (*between && at + 1 + size > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
			between = "";
		}
		at += fprintf(out, "%s", between);
		for (int i = 0; i < size; i++)
			if (text[i] != '`')
				at += fputc(text[i], out) != EOF;
		text += size;
		text += strspn(text, " ");
		between = " ";
	}
	fputc('\n', out);
}

/* "--format text|json". */
static int print_name(FILE *out, const char *name, const struct command_option *option)
{
	const char *between = " ";
	int size = fprintf(out, "  %s", name);

	for (const char *const *choice = option->choices; choice && *choice; choice++)
		if (**choice) {
			size += fprintf(out, "%s%s", between, *choice);
			between = "|";
		}
	if (option->value && !option->choices)
		size += fprintf(out, " VALUE");
	return size;
}

static void print_option(FILE *out, const char *name, const struct command_option *option)
{
	int size = print_name(out, name, option);

	if (size + 2 > INDENT) {
		fputc('\n', out);
		size = 0;
	}
	fprintf(out, "%*s", INDENT - size, "");
	print_wrapped(out, help_of_option(name), INDENT, INDENT);
}

char *help_command(const char *verb)
{
	struct command_option option;
	const char *argument = command_line_argument(verb), *name;
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);

	fprintf(out, "viewduct %s%s%s%s\n\n", verb,
		command_line_option(verb, 0, &option) ? " [OPTIONS]" : "", *argument ? " " : "",
		argument);
	print_wrapped(out, help_of_command(verb), 0, 0);
	if (strcmp(argument, "[CONFIG]") == 0)
		print_wrapped(out,
			"CONFIG is /etc/viewduct/viewduct.json if not given; - is standard input.",
			0, 0);
	for (size_t i = 0; (name = command_line_option(verb, i, &option)); i++) {
		fputs(i == 0 ? "\n" : "", out);
		print_option(out, name, &option);
	}
	memory_text_close(out);
	return text;
}
