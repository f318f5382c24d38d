/* `viewduct help`: in short, on one command, as the manual page viewduct(1), or as what completes command lines in bash. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status help(const struct command_line *line);

/* What a command does, or an option means, in one sentence or more; words in backticks are what is typed. NULL for what
 * is neither. */
const char *help_of_command(const char *verb);
const char *help_of_option(const char *name);

/* One command: how it is called, what it does, and its options. Allocated. */
char *help_command(const char *verb);

/* viewduct(1), made from the table of commands. Allocated. */
char *help_manual(void);

/* The completion, made from the same table and the kinds that there are. Allocated. */
char *help_completion(void);
