/* The command line. */
#include "daemon/command_line.h"

#include "config/nearest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define IN(command) (1u << (command))

struct verb {
	const char *name;
	enum command command;
	bool takes_argument;
};

static const struct verb verbs[] = {
	{ "run", COMMAND_RUN, true },
	{ "check", COMMAND_CHECK, true },
	{ "explain", COMMAND_EXPLAIN, true },
	{ "schema", COMMAND_SCHEMA, false },
	{ "list", COMMAND_LIST, true },
	{ "test", COMMAND_TEST, true },
	{ "version", COMMAND_VERSION, false },
	{ "help", COMMAND_HELP, false },
	{ "--help", COMMAND_HELP, false },
	{ "-h", COMMAND_HELP, false },
	{ "--version", COMMAND_VERSION, false },
	{ "-V", COMMAND_VERSION, false },
	{ NULL, COMMAND_HELP, false },
};

struct parameter {
	const char *name;
	unsigned commands;          /* a bit for each that takes it */
	size_t offset;              /* of an unsigned in the command line */
	const char *const *choices; /* NULL: it takes no value */
	unsigned standard;          /* where no value was given, for those that take none: 1 */
};

static const char *const levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const log_formats[] = { "text", "json", NULL };
static const char *const formats[] = { "text", "json", NULL };
static const char *const list_formats[] = { "text", "", "markdown", "roff", NULL };
static const char *const help_formats[] = { "text", "", "", "roff", "bash", NULL };

static const char *const graphs[] = { "", "dot", "mermaid", NULL };

static const struct parameter parameters[] = {
	{ "--log-level", IN(COMMAND_RUN), offsetof(struct command_line, log_level), levels, 0 },
	{ "--log-format", IN(COMMAND_RUN), offsetof(struct command_line, log_format), log_formats,
		0 },
	{ "--quiet", IN(COMMAND_RUN), offsetof(struct command_line, quiet), NULL, 1 },
	{ "--no-env", IN(COMMAND_CHECK), offsetof(struct command_line, no_env), NULL, 1 },
	{ "--format", IN(COMMAND_CHECK) | IN(COMMAND_EXPLAIN),
		offsetof(struct command_line, format), formats, 0 },
	{ "--graph", IN(COMMAND_EXPLAIN), offsetof(struct command_line, graph), graphs, 0 },
	{ "--format", IN(COMMAND_LIST), offsetof(struct command_line, format), list_formats, 0 },
	{ "--format", IN(COMMAND_HELP), offsetof(struct command_line, format), help_formats, 0 },
};

enum {
	VERBS = sizeof(verbs) / sizeof(verbs[0]) - 1,
	PARAMETERS = sizeof(parameters) / sizeof(parameters[0]),
	DEFAULT_LEVEL = 1,
	LONGEST_NAME = 40
};

const char command_line_help[] =
	"viewduct moves records from sources through stages to sinks, copying none of their "
	"bytes.\n"
	"\n"
	"  viewduct run [CONFIG]       run in the foreground, until every source has ended\n"
	"  viewduct check [CONFIG]     say everything that is wrong with a configuration\n"
	"  viewduct explain [CONFIG]   show the plan: what each node does, copies and may hold up\n"
	"  viewduct schema             print the JSON Schema of the configuration\n"
	"  viewduct list [KIND]        list sources, stages and sinks, or one kind's options\n"
	"  viewduct test [CONFIG]      run the \"tests\" inside a configuration\n"
	"  viewduct version            version, build, and what this machine offers\n"
	"\n"
	"CONFIG is /etc/viewduct/viewduct.json if not given; - is standard input.\n"
	"\n"
	"  run:      --log-level debug|info|warning|error   --log-format text|json   --quiet\n"
	"  check:    --no-env (variables and secrets stay unresolved)   --format text|json\n"
	"  explain:  --format text|json   --graph dot|mermaid\n"
	"\n"
	"Exit: 0 fine, 1 tests failed, 3 records undelivered, 64 wrong command line, 65 records "
	"dropped for what "
	"was in them,\n"
	"74 something cannot be opened or read, 78 wrong configuration.\n"
	"TERM and INT drain (twice: end at once); HUP and USR1 reopen the files of sinks.\n";

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

/* Names that are near are guessed, others are not. */
static const char *nearest_verb(const char *name)
{
	const char *known[VERBS + 1] = { NULL };

	for (size_t i = 0; i < VERBS; i++)
		known[i] = verbs[i].name;
	return nearest(name, known);
}

/* The parameter that begins an argument such as "--format=json", if the command takes it. */
static const struct parameter *find_parameter(enum command command, const char *argument)
{
	const size_t size = strcspn(argument, "=");

	for (size_t i = 0; i < PARAMETERS; i++) {
		const struct parameter *parameter = &parameters[i];
		if (parameter->commands & IN(command) && strlen(parameter->name) == size &&
			memcmp(parameter->name, argument, size) == 0)
			return parameter;
	}
	return NULL;
}

static const char *nearest_parameter(enum command command, const char *argument)
{
	const char *known[PARAMETERS + 1] = { NULL };
	char name[LONGEST_NAME];
	size_t count = 0;

	for (size_t i = 0; i < PARAMETERS; i++)
		if (parameters[i].commands & IN(command))
			known[count++] = parameters[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(argument, "="), argument);
	return nearest(name, known);
}

__attribute__((format(printf, 2, 3))) static bool wrong(
	struct command_line *line, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(line->error, sizeof(line->error), format, list);
	va_end(list);
	return false;
}

/* `meant` may be NULL. */
static bool unknown(struct command_line *line, const char *what, const char *name,
	const char *where, const char *meant)
{
	if (!meant)
		return wrong(line, "there is no %s \"%.40s\"%s", what, name, where);
	return wrong(
		line, "there is no %s \"%.40s\"%s: did you mean \"%s\"?", what, name, where, meant);
}

static bool set_choice(
	struct command_line *line, const struct parameter *parameter, const char *value)
{
	unsigned *field = (unsigned *)(void *)((char *)line + parameter->offset);
	char all[80] = "";

	for (unsigned i = 0; parameter->choices[i]; i++) {
		if (*value && strcmp(parameter->choices[i], value) == 0) {
			*field = i;
			return true;
		}
		if (*parameter->choices[i]) {
			const size_t used = strlen(all);
			snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "",
				parameter->choices[i]);
		}
	}
	return wrong(line, "%s is one of %s, not \"%.40s\"", parameter->name, all, value);
}

/* Reads the parameter at `arguments[*at]`, and its value, which may be the next argument. */
static bool read_parameter(struct command_line *line, int count, char *const *arguments, int *at)
{
	const char *argument = arguments[*at];
	const struct parameter *parameter = find_parameter(line->command, argument);
	const char *equals = strchr(argument, '=');

	if (!parameter)
		return unknown(line, "option", argument, " here",
			nearest_parameter(line->command, argument));
	if (!parameter->choices) {
		if (equals)
			return wrong(line, "%s takes no value", parameter->name);
		*(unsigned *)(void *)((char *)line + parameter->offset) = parameter->standard;
		return true;
	}
	if (equals)
		return set_choice(line, parameter, equals + 1);
	if (*at + 1 == count)
		return wrong(line, "%s needs a value", parameter->name);
	return set_choice(line, parameter, arguments[++*at]);
}

static bool read_argument(struct command_line *line, const struct verb *verb, const char *argument)
{
	if (!verb->takes_argument)
		return wrong(
			line, "%s takes no argument, but there is \"%.40s\"", verb->name, argument);
	if (line->argument)
		return wrong(
			line, "%s takes one argument, not \"%.40s\" too", verb->name, argument);
	line->argument = argument;
	return true;
}

bool command_line_read(struct command_line *line, int count, char *const *arguments)
{
	bool options = true;

	*line = (struct command_line){ .command = COMMAND_HELP, .log_level = DEFAULT_LEVEL };
	if (count < 2)
		return wrong(line, "a command is missing");
	const struct verb *verb = find_verb(arguments[1]);
	if (!verb)
		return unknown(line, "command", arguments[1], "", nearest_verb(arguments[1]));
	line->command = verb->command;
	for (int i = 2; i < count; i++) {
		const char *argument = arguments[i];
		if (options && strcmp(argument, "--help") == 0) {
			line->command = COMMAND_HELP;
			line->format = OUTPUT_TEXT;
			return true;
		}
		if (options && strcmp(argument, "--") == 0) {
			options = false;
			continue;
		}
		const bool fine = options && argument[0] == '-' && argument[1]
					  ? read_parameter(line, count, arguments, &i)
					  : read_argument(line, verb, argument);
		if (!fine)
			return false;
	}
	return true;
}

const char *command_line_configuration(const struct command_line *line)
{
	return line->argument ? line->argument : "/etc/viewduct/viewduct.json";
}

/* Options that stand in a command's place are other names. */
static bool is_name(const struct verb *verb)
{
	return verb->name[0] != '-';
}

const char *command_line_verb(size_t index)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (is_name(verb) && index-- == 0)
			return verb->name;
	return NULL;
}

const char *command_line_argument(const char *verb)
{
	const struct verb *found = find_verb(verb);

	if (!found->takes_argument)
		return "";
	return found->command == COMMAND_LIST ? "[KIND]" : "[CONFIG]";
}

const char *command_line_option(const char *verb, size_t index, struct command_option *option)
{
	const unsigned bit = IN(find_verb(verb)->command);

	for (size_t i = 0; i < PARAMETERS; i++)
		if (parameters[i].commands & bit && index-- == 0) {
			option->choices = parameters[i].choices;
			option->value = parameters[i].choices != NULL;
			return parameters[i].name;
		}
	return NULL;
}
