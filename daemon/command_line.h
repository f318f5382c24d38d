/* The command line: one command, its options in any place, and at most one argument. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum command {
	COMMAND_RUN,
	COMMAND_CHECK,
	COMMAND_EXPLAIN,
	COMMAND_SCHEMA,
	COMMAND_LIST,
	COMMAND_TEST,
	COMMAND_STATUS,
	COMMAND_TOP,
	COMMAND_TAP,
	COMMAND_RELOAD,
	COMMAND_REOPEN,
	COMMAND_HEALTH,
	COMMAND_VERSION,
	COMMAND_HELP
};

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_MARKDOWN, OUTPUT_ROFF, OUTPUT_BASH };

struct command_line {
	enum command command;
	const char *argument; /* the configuration's path, a kind or a node; NULL: not given */
	const char *admin;    /* where a daemon is to be asked; NULL: not said */
	const char
		*config;  /* the configuration that says it; NULL: the usual one, if it is there */
	const char *grep; /* NULL: everything */
	unsigned count;   /* 0: no end */
	unsigned log_level;  /* enum log_level */
	unsigned log_format; /* enum log_format */
	unsigned format;     /* enum output_format */
	unsigned graph;      /* enum graph */
	unsigned quiet;
	unsigned no_env;
	unsigned raw, all, ready;
	const char *verb; /* the command as it was written; NULL: none was given */
	const char *
		topic; /* of help: the name of the command that is asked about; NULL: all of them */
	char error[200]; /* what is wrong, one sentence */
};

/* Reads the arguments. False, with `error`, if they are wrong. */
bool command_line_read(struct command_line *line, int count, char *const *arguments);

/* The configuration's path: the argument or the default. */
const char *command_line_configuration(const struct command_line *line);

/* What `viewduct help` prints. */
extern const char command_line_help[];

/* The commands in their order, for manual and completion; NULL behind the last. */
const char *command_line_verb(size_t index);

/* How a command goes on: "[CONFIG]", "[KIND]", "NODE"; "" if it takes no argument. */
const char *command_line_argument(const char *verb);

/* The options that a command takes: the name of one, and the words that it takes (NULL: none, where `value` is false);
 * some of them are empty, and no words. NULL behind the last. */
struct command_option {
	const char *const *choices;
	bool value;
};
const char *command_line_option(const char *verb, size_t index, struct command_option *option);
