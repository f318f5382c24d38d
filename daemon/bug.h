/* Bugs: what a failed assertion ends in. */
#pragma once

/* From now on a failed assertion ends the process with STATUS_BUG, unless cores may be dumped: then with one. */
void bug_prepare(void);
