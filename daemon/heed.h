/* What a running daemon heeds between its turns: signals, and what clients ask for at the admin server. */
#pragma once

#include "daemon/daemon.h"

/* Drains, reopens and reloads, as it was asked to by now. */
void heed_signals(struct daemon *daemon);

/* A reload is under way, or its counters are yet to follow. */
bool heed_is_reloading(const struct daemon *daemon);
