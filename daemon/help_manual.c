/* viewduct(1): every command with its options, and what the daemon does with signals, statuses and files. */
#include "daemon/help.h"

#include "config/memory.h"
#include "config/roff.h"

#include <stdio.h>
#include <string.h>

struct told {
	const char *name, *text;
};

static const struct told signals[] = {
	{ "TERM, INT", "Drain: listeners close, connections are read until they end or are silent, "
		       "files stop where they are, and sinks write what was read, for at most "
		       "`service.drain`. A second one ends at once." },
	{ "HUP", "Reopens the files of sinks, then takes a changed configuration." },
	{ "USR1", "Reopens the files of sinks." },
	{ "PIPE, USR2", "Are ignored." },
	{ NULL, NULL },
};

static const struct told statuses[] = {
	{ "0", "Fine: every source has ended, or it was drained." },
	{ "1", "Tests found differences, or the daemon is not well." },
	{ "3", "A drain was cut short with records undelivered." },
	{ "64", "A wrong command line." },
	{ "65", "The run ended by itself, but dropped records for what was in them." },
	{ "69", "There is no daemon where it was asked." },
	{ "70", "A bug." },
	{ "74", "At the start something could not be opened; or a file could not be read." },
	{ "75", "A reload was refused." },
	{ "78", "A wrong configuration, or none to read." },
	{ NULL, NULL },
};

static const struct told files[] = {
	{ "/etc/viewduct/viewduct.json", "The configuration, where no other is named; `-` is "
					 "standard input." },
	{ "/run/viewduct/admin.sock", "Where a daemon of root's is asked and told." },
	{ NULL, NULL },
};

static void print_told(FILE *out, const char *name, const char *text)
{
	fputs(".TP\n\\fB", out);
	roff_text(out, name);
	fputs("\\fR\n", out);
	roff_line(out, text);
}

static void print_section(FILE *out, const char *title, const struct told *told)
{
	fprintf(out, ".SH %s\n", title);
	for (; told->name; told++)
		print_told(out, told->name, told->text);
}

static void print_choices(FILE *out, const char *const *choices)
{
	const char *between = " ";

	for (; choices && *choices; choices++)
		if (**choices) {
			fprintf(out, "%s\\fI%s\\fR", between, *choices);
			between = "|";
		}
}

static void print_option(FILE *out, const char *name, const struct command_option *option)
{
	const char *text = help_of_option(name);

	fputs(".TP\n\\fB", out);
	roff_text(out, name);
	fputs("\\fR", out);
	print_choices(out, option->choices);
	if (option->value && !option->choices)
		fputs(" \\fIVALUE\\fR", out);
	fputc('\n', out);
	roff_line(out, text ? text : "");
}

static void print_command(FILE *out, const char *verb)
{
	struct command_option option;
	const char *text = help_of_command(verb), *name;

	fprintf(out, ".SS viewduct %s %s\n", verb, command_line_argument(verb));
	roff_line(out, text ? text : "");
	for (size_t i = 0; (name = command_line_option(verb, i, &option)); i++)
		print_option(out, name, &option);
}

char *help_manual(void)
{
	char *text;
	size_t size;
	const char *verb;
	FILE *out = memory_text_open(&text, &size);

	fputs(".\\\" Made by `make docs` from the table of commands.\n"
	      ".TH VIEWDUCT 1 \"\" viewduct \"User Commands\"\n"
	      ".SH NAME\nviewduct \\- move records from files and sockets to files and sockets\n"
	      ".SH SYNOPSIS\n.B viewduct\n.I command\n[\\fIoptions\\fR] [\\fIargument\\fR]\n"
	      ".SH DESCRIPTION\n",
		out);
	roff_line(out,
		"`viewduct` moves records from sources through stages to sinks, and copies none of "
		"their bytes on the way. What it does is written in a configuration, "
		"`viewduct.json`(5). Options may stand anywhere behind the command, as "
		"`--option word` or `--option=word`.");
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; (verb = command_line_verb(i)); i++)
		print_command(out, verb);
	print_section(out, "SIGNALS", signals);
	print_section(out, "EXIT STATUS", statuses);
	print_section(out, "FILES", files);
	fputs(".SH SEE ALSO\n.BR viewduct.json (5)\n", out);
	memory_text_close(out);
	return text;
}
