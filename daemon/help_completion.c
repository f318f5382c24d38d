/* What completes command lines in bash, without its library of helpers: commands, options, their words, kinds, files. */
#include "daemon/help.h"

#include "config/memory.h"
#include "pipeline/plan.h"

#include <stdio.h>
#include <string.h>

/* Words of a choice that are not empty. */
static void print_choices(FILE *out, const char *const *choices)
{
	const char *between = "";

	for (; *choices; choices++)
		if (**choices) {
			fprintf(out, "%s%s", between, *choices);
			between = " ";
		}
}

static void print_verbs(FILE *out)
{
	const char *verb;

	for (size_t i = 0; (verb = command_line_verb(i)); i++)
		fprintf(out, "%s%s", i == 0 ? "" : " ", verb);
}

static void print_options(FILE *out, const char *verb)
{
	struct command_option option;
	const char *name;

	for (size_t i = 0; (name = command_line_option(verb, i, &option)); i++)
		fprintf(out, "%s ", name);
	fputs("--help", out);
}

/* What follows an option that takes a word: "run --log-level) words=…". */
static void print_words(FILE *out, const char *verb)
{
	struct command_option option;
	const char *name;

	for (size_t i = 0; (name = command_line_option(verb, i, &option)); i++) {
		if (!option.value)
			continue;
		fprintf(out, "\t'%s %s') words='", verb, name);
		if (option.choices)
			print_choices(out, option.choices);
		fputs("' ;;\n", out);
	}
}

static void print_kinds(FILE *out)
{
	const char *names[DESCRIBED_MOST];

	describe_names(plan_catalogue(), names);
	for (size_t i = 0; names[i]; i++)
		fprintf(out, "%s%s", i == 0 ? "" : " ", names[i]);
}

/* What an argument may be, where that is known. */
static void print_words_of(FILE *out, const char *argument)
{
	const bool kinds = strcmp(argument, "[KIND]") == 0;

	if (!kinds && strcmp(argument, "[COMMAND]") != 0)
		return;
	fputs("\t\twords='", out);
	if (kinds)
		print_kinds(out);
	else
		print_verbs(out);
	fputs("'\n", out);
}

/* The options of each command, and what its argument is. */
static void print_commands(FILE *out)
{
	const char *verb;

	for (size_t i = 0; (verb = command_line_verb(i)); i++) {
		const char *argument = command_line_argument(verb);
		fprintf(out, "\t%s)\n\t\toptions='", verb);
		print_options(out, verb);
		fputs("'\n", out);
		if (strcmp(argument, "[CONFIG]") == 0)
			fputs("\t\tfiles=yes\n", out);
		print_words_of(out, argument);
		fputs("\t\t;;\n", out);
	}
}

static const char head[] =
	"# Completes viewduct's command lines in bash. Made by `make docs` from the table of "
	"commands.\n"
	"# SPDX-License-Identifier: MIT\n"
	"\n"
	"_viewduct()\n"
	"{\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
	"verb=${COMP_WORDS[1]}\n"
	"\tlocal words='' options='' files='' IFS=$' \\t\\n'\n"
	"\tCOMPREPLY=()\n";

static const char tail[] =
	"\tif [[ $word == -* ]]; then\n"
	"\t\twords=$options files=''\n"
	"\tfi\n"
	"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	"\tif [[ $files ]]; then\n"
	"\t\tIFS=$'\\n'\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tCOMPREPLY+=($(compgen -d -- \"$word\") $(compgen -f -X '!*.json' -- \"$word\"))\n"
	"\tfi\n"
	"}\n"
	"complete -F _viewduct viewduct\n";

char *help_completion(void)
{
	char *text;
	size_t size;
	const char *verb;
	FILE *out = memory_text_open(&text, &size);

	fprintf(out, "%s\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '", head);
	print_verbs(out);
	fputs(" --help --version' -- \"$word\"))\n\t\treturn\n\tfi\n"
	      "\t# With --option=word, bash takes the equals sign for a word of its own.\n"
	      "\tif [[ $word == '=' ]]; then\n\t\tword=''\n"
	      "\telif [[ $before == '=' ]]; then\n\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tcase \"$verb $before\" in\n",
		out);
	for (size_t i = 0; (verb = command_line_verb(i)); i++)
		print_words(out, verb);
	fputs("\tesac\n\tif [[ $words ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n\t\treturn\n\tfi\n"
	      "\tcase $verb in\n",
		out);
	print_commands(out);
	fprintf(out, "\tesac\n%s", tail);
	memory_text_close(out);
	return text;
}
