/* `viewduct help`: in short, as the manual page viewduct(1), or as what completes command lines in bash. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status help(const struct command_line *line);

/* viewduct(1), made from the table of commands. Allocated. */
char *help_manual(void);

/* The completion, made from the same table and the kinds that there are. Allocated. */
char *help_completion(void);
