/* The command line. */
#include "daemon/command_line.h"

#include "config/nearest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN(command) (1u << (command))
#define FIELD(name) offsetof(struct command_line, name)

/* Those that ask a running daemon. */
#define ASKS                                                                                       \
	(IN(COMMAND_STATUS) | IN(COMMAND_TOP) | IN(COMMAND_TAP) | IN(COMMAND_RELOAD) |             \
		IN(COMMAND_REOPEN) | IN(COMMAND_HEALTH))

enum takes { TAKES_NOTHING, TAKES_ONE, TAKES_NODE };

struct verb {
	const char *name;
	enum command command;
	enum takes takes; /* an argument; the node's must be there */
};

static const struct verb verbs[] = {
	{ "run", COMMAND_RUN, TAKES_ONE },
	{ "check", COMMAND_CHECK, TAKES_ONE },
	{ "explain", COMMAND_EXPLAIN, TAKES_ONE },
	{ "schema", COMMAND_SCHEMA, TAKES_NOTHING },
	{ "list", COMMAND_LIST, TAKES_ONE },
	{ "test", COMMAND_TEST, TAKES_ONE },
	{ "status", COMMAND_STATUS, TAKES_NOTHING },
	{ "top", COMMAND_TOP, TAKES_NOTHING },
	{ "tap", COMMAND_TAP, TAKES_NODE },
	{ "reload", COMMAND_RELOAD, TAKES_NOTHING },
	{ "reopen", COMMAND_REOPEN, TAKES_NOTHING },
	{ "health", COMMAND_HEALTH, TAKES_NOTHING },
	{ "version", COMMAND_VERSION, TAKES_NOTHING },
	{ "help", COMMAND_HELP, TAKES_ONE },
	{ "--help", COMMAND_HELP, TAKES_ONE },
	{ "-h", COMMAND_HELP, TAKES_ONE },
	{ "--version", COMMAND_VERSION, TAKES_NOTHING },
	{ "-V", COMMAND_VERSION, TAKES_NOTHING },
	{ NULL, COMMAND_HELP, TAKES_NOTHING },
};

enum sort { FLAG, CHOICE, COUNT, TEXT }; /* the fields: unsigned; a text's: const char * */

struct parameter {
	const char *name;
	unsigned commands; /* a bit for each that takes it */
	size_t offset;     /* of its field in the command line */
	enum sort sort;
	const char *const *choices; /* NULL: there are none to choose from */
};

static const char *const levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const log_formats[] = { "text", "json", NULL };
static const char *const formats[] = { "text", "json", NULL };
static const char *const list_formats[] = { "text", "", "markdown", "roff", NULL };
static const char *const help_formats[] = { "text", "", "", "roff", "bash", NULL };

static const char *const graphs[] = { "", "dot", "mermaid", NULL };

static const struct parameter parameters[] = {
	{ "--log-level", IN(COMMAND_RUN), FIELD(log_level), CHOICE, levels },
	{ "--log-format", IN(COMMAND_RUN), FIELD(log_format), CHOICE, log_formats },
	{ "--quiet", IN(COMMAND_RUN), FIELD(quiet), FLAG, NULL },
	{ "--no-env", IN(COMMAND_CHECK), FIELD(no_env), FLAG, NULL },
	{ "--format",
		IN(COMMAND_CHECK) | IN(COMMAND_EXPLAIN) | IN(COMMAND_TEST) | IN(COMMAND_STATUS),
		FIELD(format), CHOICE, formats },
	{ "--graph", IN(COMMAND_EXPLAIN), FIELD(graph), CHOICE, graphs },
	{ "--format", IN(COMMAND_HELP), FIELD(format), CHOICE, help_formats },
	{ "--format", IN(COMMAND_LIST), FIELD(format), CHOICE, list_formats },
	{ "--admin", ASKS, FIELD(admin), TEXT, NULL },
	{ "--config", ASKS, FIELD(config), TEXT, NULL },
	{ "--grep", IN(COMMAND_TAP), FIELD(grep), TEXT, NULL },
	{ "--count", IN(COMMAND_TAP), FIELD(count), COUNT, NULL },
	{ "--raw", IN(COMMAND_TAP), FIELD(raw), FLAG, NULL },
	{ "--all", IN(COMMAND_TAP), FIELD(all), FLAG, NULL },
	{ "--ready", IN(COMMAND_HEALTH), FIELD(ready), FLAG, NULL },
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
	"  viewduct help [COMMAND]     this, or what one command does and takes\n"
	"\n"
	"To a running daemon:\n"
	"\n"
	"  viewduct status             what each node does now, as a table\n"
	"  viewduct top                the same, each second anew; q ends it\n"
	"  viewduct tap NODE           samples of what leaves a node, or enters a sink\n"
	"  viewduct reload             read the configuration again, and run it if it is right\n"
	"  viewduct reopen             close and open the files of sinks\n"
	"  viewduct health             is it well?\n"
	"\n"
	"CONFIG is /etc/viewduct/viewduct.json if not given; - is standard input.\n"
	"\n"
	"  run:      --log-level debug|info|warning|error   --log-format text|json   --quiet\n"
	"  check:    --no-env (variables and secrets stay unresolved)   --format text|json\n"
	"  explain:  --format text|json   --graph dot|mermaid\n"
	"  test:     --format text|json\n"
	"  status:   --format text|json\n"
	"  tap:      --grep TEXT   --count N   --raw (no escapes)   --all (not only 100 a second)\n"
	"  health:   --ready (may it be given work?)\n"
	"  to a running daemon:  --admin HOST:PORT or PATH, else $VIEWDUCT_ADMIN, else what\n"
	"            --config FILE or the usual configuration says, else the usual places\n"
	"\n"
	"Exit: 0 fine, 1 tests failed or health is bad, 3 records undelivered, 64 wrong command "
	"line, 65 records "
	"dropped for\n"
	"what was in them, 69 no daemon to be asked, 74 something cannot be opened or read, 75 "
	"reload refused,\n"
	"78 wrong configuration.\n"
	"TERM and INT drain (twice: end at once); USR1 reopens the files of sinks, HUP does and "
	"reloads.\n";

/* Options that stand in a command's place are other names. */
static bool is_name(const struct verb *verb)
{
	return verb->name[0] != '-';
}

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
	size_t count = 0;

	/* A short option is near to every other one. */
	for (size_t i = 0; i < VERBS; i++)
		if (is_name(&verbs[i]) || strlen(name) > 2)
			known[count++] = verbs[i].name;
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

/* How other products are told the configuration. */
static bool names_configuration(const char *argument)
{
	static const char *const habits[] = { "-c", "-f", "--config", "--config-file", "--conf",
		"--file", NULL };
	const size_t size = strcspn(argument, "=");

	for (const char *const *habit = habits; *habit; habit++)
		if (strlen(*habit) == size && memcmp(*habit, argument, size) == 0)
			return true;
	return false;
}

static bool is_path(const char *name)
{
	const size_t size = strlen(name);

	return strchr(name, '/') || (size > 5 && strcmp(name + size - 5, ".json") == 0);
}

static bool unknown_command(struct command_line *line, const char *name)
{
	if (names_configuration(name))
		return wrong(line, "a command is missing: did you mean \"viewduct run CONFIG\"?");
	if (is_path(name))
		return wrong(line,
			"there is no command \"%.40s\": did you mean \"viewduct run %.40s\"?", name,
			name);
	return unknown(line, "command", name, "", nearest_verb(name));
}

static bool takes_configuration(const char *verb)
{
	return verb && strcmp(command_line_argument(verb), "[CONFIG]") == 0;
}

/* An option of other commands. */
static bool is_elsewhere(const char *argument)
{
	for (enum command command = 0; command <= COMMAND_HELP; command++)
		if (find_parameter(command, argument))
			return true;
	return false;
}

/* Says whose option it is. */
static bool elsewhere(struct command_line *line, const char *argument)
{
	char names[100] = "";

	for (const struct verb *verb = verbs; verb->name; verb++) {
		const size_t used = strlen(names);
		if (is_name(verb) && find_parameter(verb->command, argument))
			snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				verb->name);
	}
	return wrong(line, "%.*s is an option of %s, not of %s", (int)strcspn(argument, "="),
		argument, names, line->verb);
}

static bool unknown_parameter(struct command_line *line, const char *argument)
{
	if (takes_configuration(line->verb) && names_configuration(argument))
		return wrong(line,
			"the configuration is named without an option: viewduct %s CONFIG",
			line->verb);
	const char *meant = nearest_parameter(line->command, argument);
	if (!meant && is_elsewhere(argument))
		return elsewhere(line, argument);
	return unknown(line, "option", argument, " here", meant);
}

static void *field_of(struct command_line *line, const struct parameter *parameter)
{
	return (char *)line + parameter->offset;
}

static bool set_count(
	struct command_line *line, const struct parameter *parameter, const char *value)
{
	char *end;
	const unsigned long count = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end || count == 0 || count > UINT32_MAX)
		return wrong(
			line, "%s is a number, at least 1, not \"%.40s\"", parameter->name, value);
	*(unsigned *)field_of(line, parameter) = (unsigned)count;
	return true;
}

static bool set_choice(
	struct command_line *line, const struct parameter *parameter, const char *value)
{
	unsigned *field = field_of(line, parameter);
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

static bool set_value(
	struct command_line *line, const struct parameter *parameter, const char *value)
{
	if (parameter->sort == CHOICE)
		return set_choice(line, parameter, value);
	if (parameter->sort == COUNT)
		return set_count(line, parameter, value);
	if (!*value)
		return wrong(line, "%s needs a value", parameter->name);
	*(const char **)field_of(line, parameter) = value;
	return true;
}

/* Reads the parameter at `arguments[*at]`, and its value, which may be the next argument. */
static bool read_parameter(struct command_line *line, int count, char *const *arguments, int *at)
{
	const char *argument = arguments[*at];
	const struct parameter *parameter = find_parameter(line->command, argument);
	const char *equals = strchr(argument, '=');

	if (!parameter)
		return unknown_parameter(line, argument);
	if (parameter->sort == FLAG) {
		if (equals)
			return wrong(line, "%s takes no value", parameter->name);
		*(unsigned *)field_of(line, parameter) = 1;
		return true;
	}
	if (equals)
		return set_value(line, parameter, equals + 1);
	if (*at + 1 == count)
		return wrong(line, "%s needs a value", parameter->name);
	return set_value(line, parameter, arguments[++*at]);
}

static bool read_argument(struct command_line *line, const struct verb *verb, const char *argument)
{
	if (verb->takes == TAKES_NOTHING)
		return wrong(
			line, "%s takes no argument, but there is \"%.40s\"", verb->name, argument);
	if (line->argument)
		return wrong(
			line, "%s takes one argument, not \"%.40s\" too", verb->name, argument);
	line->argument = argument;
	return true;
}

/* "help" and a command's name mean what "--help" behind it means. */
static bool read_topic(struct command_line *line)
{
	const struct verb *topic = line->argument ? find_verb(line->argument) : NULL;

	if (!line->argument)
		return true;
	if (!topic || !is_name(topic))
		return unknown_command(line, line->argument);
	if (line->format != OUTPUT_TEXT)
		return wrong(line, "the help on one command is text only");
	line->topic = topic->name;
	return true;
}

/* What is right by itself, but not together. */
static bool judge(struct command_line *line, const struct verb *verb)
{
	if (line->command == COMMAND_HELP)
		return read_topic(line);
	if (verb->takes == TAKES_NODE && !line->argument)
		return wrong(line, "%s needs a node's name, such as main.to.0", verb->name);
	if (line->graph && line->format == OUTPUT_JSON)
		return wrong(line, "--graph and --format json exclude each other");
	return true;
}

static bool asks_for_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

bool command_line_read(struct command_line *line, int count, char *const *arguments)
{
	bool options = true;

	*line = (struct command_line){ .command = COMMAND_HELP, .log_level = DEFAULT_LEVEL };
	if (count < 2)
		return wrong(line, "a command is missing");
	const struct verb *verb = find_verb(arguments[1]);
	if (!verb)
		return unknown_command(line, arguments[1]);
	line->command = verb->command;
	line->verb = verb->name;
	for (int i = 2; i < count; i++) {
		const char *argument = arguments[i];
		if (options && asks_for_help(argument)) {
			line->command = COMMAND_HELP;
			line->format = OUTPUT_TEXT;
			line->topic = is_name(verb) ? verb->name : NULL;
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
	return judge(line, verb);
}

const char *command_line_configuration(const struct command_line *line)
{
	return line->argument ? line->argument : "/etc/viewduct/viewduct.json";
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

	if (found->takes == TAKES_NOTHING)
		return "";
	if (found->takes == TAKES_NODE)
		return "NODE";
	if (found->command == COMMAND_HELP)
		return "[COMMAND]";
	return found->command == COMMAND_LIST ? "[KIND]" : "[CONFIG]";
}

const char *command_line_option(const char *verb, size_t index, struct command_option *option)
{
	const unsigned bit = IN(find_verb(verb)->command);

	for (size_t i = 0; i < PARAMETERS; i++)
		if (parameters[i].commands & bit && index-- == 0) {
			option->choices = parameters[i].choices;
			option->value = parameters[i].sort != FLAG;
			return parameters[i].name;
		}
	return NULL;
}
