/* `viewduct tap NODE`: what leaves a node of a running daemon, a line a sample. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status tap_view(const struct command_line *line);
