/* GET /metrics: what is counted; for who asks too often, what was told last.
 *
 * Each new answer wakes every worker, who copies its counters, and takes some 100 µs of writing. Ten may be asked for at
 * once, and ten a second in the long run; beyond that the last one is told again, so that the data path does not notice
 * who asks a thousand times a second.
 */
#pragma once

#include "daemon/admin_server.h"

/* Queues an answer that is 100 ms old at most, and never from before the last reload was told of. */
enum MHD_Result admin_metrics(struct admin *admin, struct MHD_Connection *connection);

/* Lets go of what was told last. */
void admin_metrics_close(struct admin_metrics *metrics);
