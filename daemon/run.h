/* `viewduct run`: the daemon in the foreground, until every source has ended or it is told to end. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status run(const struct command_line *line);
