/* Crowds: a number of connections to a port, each served whenever it is readable, until all have ended.
 *
 * It is what the bare loops have in common; how a connection is served is what tells them apart.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stdint.h>

/* Takes what the connection has, once. False where it has ended. */
typedef bool crowd_serve(int connection);

/* Serves `count` connections to `port` to their ends. A single one is served by calls that block, with nothing between. */
void crowd_run(uint64_t port, uint64_t count, crowd_serve *serve);

#endif
