/* `viewduct explain`: the plan that would run. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status explain(const struct command_line *line);
