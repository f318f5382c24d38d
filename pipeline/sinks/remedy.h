/* What helps where the system forbids a sink its work: a service's unit may, and then its drop-in is named. */
#pragma once

#include <stdbool.h>

/* For a file that cannot be made or written; NULL where there is nothing to say. `error`: errno, EWOULDBLOCK: locked. */
const char *remedy_for_path(int error);

/* For an address or a unix socket that cannot be connected to. */
const char *remedy_for_peer(int error, bool is_path);
