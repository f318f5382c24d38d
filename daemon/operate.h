/* `viewduct status`, `reload`, `reopen` and `health`: one question to a running daemon. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status operate_status(const struct command_line *line);
enum exit_status operate_reload(const struct command_line *line);
enum exit_status operate_reopen(const struct command_line *line);
enum exit_status operate_health(const struct command_line *line);
