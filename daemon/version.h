/* `viewduct version`: the version, how it was built, and what this machine offers. */
#pragma once

#include "daemon/exit_status.h"

extern const char version_number[];

enum exit_status version(void);
