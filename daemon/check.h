/* `viewduct check`: says everything that is wrong with a configuration, and opens nothing that it names. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status check(const struct command_line *line);
