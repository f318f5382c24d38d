/* The start: configuration, loop, workers and what they open, in this order. */
#pragma once

#include "daemon/daemon.h"

/* STATUS_FINE, and the manager is told; or else what was wrong is said, and what was made is left to be closed. */
enum exit_status start(struct daemon *daemon);
