/* `viewduct schema` and `viewduct list`: what there is to configure. */
#pragma once

#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum exit_status catalogue_schema(void);
enum exit_status catalogue_list(const struct command_line *line);
