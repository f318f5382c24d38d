/* `viewduct test`: runs the "tests" of a configuration. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status test(const struct command_line *line);
