/* The command line: commands, options, and what is said of wrong ones. */
#include "daemon/command_line.h"

#include "daemon/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 8 };

/* Reads words separated by blanks. */
static bool read_words(struct command_line *line, const char *words)
{
	static char text[200];
	static char *arguments[MOST];
	int count = 0;

	snprintf(text, sizeof(text), "viewduct %s", words);
	for (char *word = strtok(text, " "); word && count < MOST; word = strtok(NULL, " "))
		arguments[count++] = word;
	return command_line_read(line, count, arguments);
}

Test(command_line, defaults_of_run)
{
	struct command_line line;

	cr_assert(read_words(&line, "run"));
	cr_assert_eq(line.command, COMMAND_RUN);
	cr_assert_eq(line.log_level, LOG_LEVEL_INFO);
	cr_assert_eq(line.log_format, LOG_TEXT);
	cr_assert_eq(line.quiet, 0);
	cr_assert_str_eq(command_line_configuration(&line), "/etc/viewduct/viewduct.json");
}

Test(command_line, options_stand_anywhere_and_in_both_forms)
{
	struct command_line line;

	cr_assert(read_words(&line, "run --log-level=error a.json --log-format json --quiet"));
	cr_assert_eq(line.log_level, LOG_LEVEL_ERROR);
	cr_assert_eq(line.log_format, LOG_JSON);
	cr_assert_eq(line.quiet, 1);
	cr_assert_str_eq(command_line_configuration(&line), "a.json");
}

Test(command_line, levels_are_those_of_the_log)
{
	struct command_line line;

	cr_assert(read_words(&line, "run --log-level debug"));
	cr_assert_eq(line.log_level, LOG_LEVEL_DEBUG);
	cr_assert(read_words(&line, "run --log-level warning"));
	cr_assert_eq(line.log_level, LOG_LEVEL_WARNING);
}

Test(command_line, graphs_and_forms_of_help)
{
	struct command_line line;

	cr_assert(read_words(&line, "explain"));
	cr_expect_eq(line.graph, 0);
	cr_assert(read_words(&line, "explain --graph mermaid"));
	cr_expect_eq(line.graph, 2);
	cr_assert(read_words(&line, "help --format bash"));
	cr_expect_eq(line.format, OUTPUT_BASH);
	cr_assert(read_words(&line, "list --format roff --help"));
	cr_expect_eq(line.format, OUTPUT_TEXT);
	cr_expect_not(read_words(&line, "explain --graph svg"));
	cr_expect_str_eq(line.error, "--graph is one of dot, mermaid, not \"svg\"");
}

Test(command_line, help_is_about_a_command_or_all)
{
	static const char *const all[][2] = {
		{ "help", NULL },
		{ "--help", NULL },
		{ "-h", NULL },
		{ "--version --help", NULL },
		{ "help check", "check" },
		{ "--help check", "check" },
		{ "check --help", "check" },
		{ "check -h", "check" },
		{ "tap --help", "tap" },
		{ "help help", "help" },
	};
	struct command_line line;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_assert(read_words(&line, all[i][0]), "%s: %s", all[i][0], line.error);
		cr_expect_eq(line.command, COMMAND_HELP, "%s", all[i][0]);
		if (all[i][1])
			cr_expect_str_eq(line.topic, all[i][1], "%s", all[i][0]);
		else
			cr_expect_null(line.topic, "%s", all[i][0]);
	}
}

Test(command_line, every_command)
{
	static const struct {
		const char *words;
		enum command command;
	} all[] = {
		{ "check --no-env --format json x", COMMAND_CHECK },
		{ "explain --format=text x", COMMAND_EXPLAIN },
		{ "schema", COMMAND_SCHEMA },
		{ "list filter", COMMAND_LIST },
		{ "explain --graph dot x", COMMAND_EXPLAIN },
		{ "list --format markdown", COMMAND_LIST },
		{ "list --format roff", COMMAND_LIST },
		{ "test x", COMMAND_TEST },
		{ "status --format json --admin 127.0.0.1:9464", COMMAND_STATUS },
		{ "top --config a.json", COMMAND_TOP },
		{ "tap main.to.0 --raw --all", COMMAND_TAP },
		{ "reload --admin /run/x", COMMAND_RELOAD },
		{ "reopen", COMMAND_REOPEN },
		{ "health --ready", COMMAND_HEALTH },
		{ "version", COMMAND_VERSION },
		{ "--version", COMMAND_VERSION },
		{ "help", COMMAND_HELP },
		{ "help --format bash", COMMAND_HELP },
		{ "--help", COMMAND_HELP },
		{ "run --help", COMMAND_HELP },
	};
	struct command_line line;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_assert(read_words(&line, all[i].words), "%s: %s", all[i].words, line.error);
		cr_assert_eq(line.command, all[i].command, "%s", all[i].words);
	}
}

Test(command_line, what_a_tap_is_told)
{
	struct command_line line;

	cr_assert(read_words(&line, "tap --grep=a=b main.to --count 17 --admin /run/x"));
	cr_assert_str_eq(line.argument, "main.to");
	cr_assert_str_eq(line.grep, "a=b");
	cr_assert_str_eq(line.admin, "/run/x");
	cr_assert_eq(line.count, 17);
	cr_assert_eq(line.raw + line.all, 0);
}

Test(command_line, a_lone_dash_is_standard_input)
{
	struct command_line line;

	cr_assert(read_words(&line, "check -"));
	cr_assert_str_eq(line.argument, "-");
}

Test(command_line, behind_two_dashes_there_are_no_options)
{
	struct command_line line;

	cr_assert(read_words(&line, "check -- --format"));
	cr_assert_str_eq(line.argument, "--format");
}

Test(command_line, wrong_ones_are_told_what_was_meant)
{
	static const char *const all[][2] = {
		{ "", "a command is missing" },
		{ "rnu", "there is no command \"rnu\": did you mean \"run\"?" },
		{ "expalin x", "there is no command \"expalin\": did you mean \"explain\"?" },
		{ "run --log-levle debug",
			"there is no option \"--log-levle\" here: did you mean \"--log-level\"?" },
		{ "frobnicate", "there is no command \"frobnicate\"" },
		{ "validate x", "there is no command \"validate\": did you mean \"check\"?" },
		{ "run --logformat=json", "there is no option \"--logformat=json\" here: did you "
					  "mean \"--log-format\"?" },
		{ "check --quiet", "--quiet is an option of run, not of check" },
		{ "explain --no-env x", "--no-env is an option of check, not of explain" },
		{ "schema --format json", "--format is an option of check, explain, list, test, "
					  "status, help, not of schema" },
		{ "schema --frmt", "there is no option \"--frmt\" here" },
		{ "explain --graph dot --format json x",
			"--graph and --format json exclude each other" },
		{ "run -c a.json",
			"the configuration is named without an option: viewduct run CONFIG" },
		{ "check --config=a.json",
			"the configuration is named without an option: viewduct check CONFIG" },
		{ "-f a.json", "a command is missing: did you mean \"viewduct run CONFIG\"?" },
		{ "a.json",
			"there is no command \"a.json\": did you mean \"viewduct run a.json\"?" },
		{ "/etc/a",
			"there is no command \"/etc/a\": did you mean \"viewduct run /etc/a\"?" },
		{ "run -q", "there is no option \"-q\" here: did you mean \"--quiet\"?" },
		{ "run --verbose",
			"there is no option \"--verbose\" here: did you mean \"--log-level\"?" },
		{ "help rnu", "there is no command \"rnu\": did you mean \"run\"?" },
		{ "help -- -x", "there is no command \"-x\"" },
		{ "help run --format roff", "the help on one command is text only" },
		{ "run --log-level loud",
			"--log-level is one of debug, info, warning, error, not \"loud\"" },
		{ "list --format json", "--format is one of text, markdown, roff, not \"json\"" },
		{ "run --log-format", "--log-format needs a value" },
		{ "run --quiet=yes", "--quiet takes no value" },
		{ "run a b", "run takes one argument, not \"b\" too" },
		{ "tap", "tap needs a node's name, such as main.to.0" },
		{ "tap x --count 0", "--count is a number, at least 1, not \"0\"" },
		{ "tap x --count -1", "--count is a number, at least 1, not \"-1\"" },
		{ "tap x --count 4294967296",
			"--count is a number, at least 1, not \"4294967296\"" },
		{ "tap x --count 1x", "--count is a number, at least 1, not \"1x\"" },
		{ "tap x --grep=", "--grep needs a value" },
		{ "run --admin x", "--admin is an option of status, top, tap, reload, reopen, "
				   "health, not of run" },
		{ "status a", "status takes no argument, but there is \"a\"" },
		{ "schema a", "schema takes no argument, but there is \"a\"" },
	};
	struct command_line line;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_assert_not(read_words(&line, all[i][0]), "%s", all[i][0]);
		cr_assert_str_eq(line.error, all[i][1], "%s: %s", all[i][0], line.error);
	}
}

Test(command_line, a_word_of_any_length_is_refused_in_one_line)
{
	char word[5000];
	char *arguments[] = { "viewduct", word };
	struct command_line line;

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_assert_not(command_line_read(&line, 2, arguments));
	cr_assert_lt(strlen(line.error), sizeof(line.error) - 1);
}
