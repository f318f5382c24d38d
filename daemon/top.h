/* `viewduct top`: the status on a whole terminal, each second anew. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

/* Until q, or a signal; the terminal is then as it was. */
enum exit_status top(const struct command_line *line);
