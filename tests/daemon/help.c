/* The manual page and the completion: every command is told, and what lies in the tree is what is made. */
#include "daemon/help.h"

#include "config/whole_file.h"
#include "pipeline/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line that follows a line. */
static const char *behind_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	cr_assert(found, "no \"%s\"", line);
	return strchr(found, '\n') + 1;
}

Test(help, every_command_is_told)
{
	char *text = help_manual();
	const char *verb;

	for (size_t i = 0; (verb = command_line_verb(i)); i++) {
		char heading[100];
		snprintf(heading, sizeof(heading), ".SS viewduct %s ", verb);
		cr_expect_neq(*behind_line(text, heading), '\n',
			"daemon/help_manual.c says nothing of %s", verb);
	}
	free(text);
}

Test(help, every_option_is_told)
{
	char *text = help_manual();

	for (const char *at = text; (at = strstr(at, ".TP\n\\fB\\-\\-")); at++) {
		const char *name = at + strlen(".TP\n"), *doc = strchr(name, '\n') + 1;
		cr_expect_neq(*doc, '\n', "daemon/help_manual.c says nothing of %.30s", name);
	}
	cr_expect(strstr(text, "\\fB\\-\\-log\\-level\\fR \\fIdebug\\fR|"));
	free(text);
}

Test(help, every_command_is_in_the_short_help)
{
	const char *verb;

	for (size_t i = 0; (verb = command_line_verb(i)); i++) {
		char start[100];
		snprintf(start, sizeof(start), "  viewduct %s ", verb);
		cr_expect(strstr(command_line_help, start), "%s", verb);
	}
}

static void expect_fresh(const char *path, char *made)
{
	struct arena *arena = arena_create();
	char *held;
	size_t size;

	cr_assert(whole_file_read(arena, path, 1 << 20, &held, &size), "%s: do make docs", path);
	cr_expect_str_eq(held, made, "%s: do make docs", path);
	arena_destroy(arena);
	free(made);
}

Test(help, what_was_made_is_fresh)
{
	expect_fresh("config/viewduct.1", help_manual());
	expect_fresh("config/viewduct.json.5", describe_manual(plan_catalogue()));
	expect_fresh("config/viewduct.bash", help_completion());
}

/* What follows from the start of each line of a text; NULL behind the last. */
static const char *next_line(const char *at)
{
	const char *end = strchr(at, '\n');

	return end && end[1] ? end + 1 : NULL;
}

Test(help, of_one_command_has_its_options_and_fits_a_terminal)
{
	struct command_option option;
	const char *verb, *name;

	for (size_t i = 0; (verb = command_line_verb(i)); i++) {
		char *text = help_command(verb), start[100];
		snprintf(start, sizeof(start), "viewduct %s", verb);
		cr_expect_eq(strncmp(text, start, strlen(start)), 0, "%s", text);
		for (size_t k = 0; (name = command_line_option(verb, k, &option)); k++) {
			snprintf(start, sizeof(start), "\n  %s", name);
			cr_expect(strstr(text, start), "%s says nothing of %s", verb, name);
		}
		cr_expect_null(strchr(text, '`'), "%s", text);
		for (const char *at = text; at; at = next_line(at))
			cr_expect_leq(strcspn(at, "\n"), 80, "%s", at);
		free(text);
	}
}

Test(help, of_one_command_is_its_own)
{
	char *check = help_command("check"), *schema = help_command("schema");

	cr_expect(strstr(check, "viewduct check [OPTIONS] [CONFIG]\n"));
	cr_expect(strstr(check, "  --format text|json      How the output is written.\n"));
	cr_expect(strstr(check, "/etc/viewduct/viewduct.json"));
	cr_expect_null(strstr(check, "--quiet"));
	cr_expect_str_eq(schema, "viewduct schema\n\n"
				 "Prints the JSON Schema of the configuration, for editors.\n");
	free(check);
	free(schema);
}
