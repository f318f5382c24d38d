/* GET /metrics: what is counted, told again for a moment.
 *
 * Each new answer wakes every worker, who copies its counters, and takes some 100 µs of writing. Whoever asks a thousand
 * times a second gets the same answer twenty times, so that the data path does not notice.
 */
#pragma once

#include "daemon/admin_server.h"

/* Queues an answer that is 20 ms old at most, and never from before the last reload was told of. */
enum MHD_Result admin_metrics(struct admin *admin, struct MHD_Connection *connection);

/* Lets go of what was told last. */
void admin_metrics_close(struct admin_metrics *metrics);
