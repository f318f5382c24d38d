/* Judging the end: the exit status that the run has come to. */
#pragma once

#include "daemon/daemon.h"

/* The workers have ended; `finished`: by themselves. What was lost is said. */
enum exit_status judge(struct daemon *daemon, bool finished);
