/* What the files of the admin server share. */
#pragma once

#include "daemon/admin.h"
#include "pipeline/io/listener.h"
#include "pipeline/io/unix_socket.h"

#include <microhttpd.h>

enum { ADMIN_PATIENCE_MS = 1000 }; /* for a copy of the counters */

/* What /metrics told last. */
struct admin_metrics {
	pthread_mutex_t lock;
	struct MHD_Response *response; /* NULL: nothing yet */
	uint64_t due;                  /* monotonic ms: when the next one is, if all came evenly */
	uint64_t generation, reload_failures;
};

struct admin {
	struct workers *workers;
	struct admin_commands commands;
	struct log *log;
	struct MHD_Daemon *address_servers[LISTENER_MOST_SOCKETS];
	struct MHD_Daemon *socket_server;
	struct unix_socket socket;
	atomic_bool ending; /* taps are to end */
	char socket_path[UNIX_PATH_MOST + 1];
	struct admin_metrics metrics;
	char *host;           /* as configured: a Host that may be named */
	uint64_t started;     /* monotonic ms */
	pthread_mutex_t lock; /* of what follows */
	uint64_t generation, reload_failures;
	char last_reload[CONTROL_TEXT];
	int64_t last_reload_at;
	bool reload_refused; /* the last one */
	bool reloading;      /* one is under way */
	char waits_for[CONTROL_TEXT];
	struct snapshot before[2]; /* for rates: the older is what they are told from */
};

/* An MHD_AccessHandlerCallback; its context is the admin. */
enum MHD_Result admin_serve(void *context, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **memory);

/* What metrics and status say of the process; the admin is locked. */
struct metrics_about admin_about(const struct admin *admin);

/* Adds the headers that every answer has. */
void admin_describe(struct MHD_Response *response, const char *type);

/* True if a page that came from elsewhere cannot have sent this Host: a number, localhost, or the configured name. */
bool admin_host_is_own(const struct admin *admin, const char *host);
