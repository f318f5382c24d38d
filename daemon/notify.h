/* Tells the service manager how the daemon stands: the protocol of sd_notify(3), one datagram. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sends "READY=1", "STOPPING=1" … to $NOTIFY_SOCKET. False if there is none, or it cannot be reached. */
bool notify(const char *state);

/* Within how many milliseconds of each other the service manager wants to hear WATCHDOG=1; 0: it does not. */
uint64_t notify_watchdog_interval(void);
