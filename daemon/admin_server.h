/* What the files of the admin server share. */
#pragma once

#include "daemon/admin.h"
#include "pipeline/io/listener.h"
#include "pipeline/io/unix_socket.h"

#include <microhttpd.h>

struct admin {
	struct workers *workers;
	struct admin_commands commands;
	struct log *log;
	struct MHD_Daemon *address_servers[LISTENER_MOST_SOCKETS];
	struct MHD_Daemon *socket_server;
	struct unix_socket socket;
	atomic_bool ending; /* taps are to end */
	char socket_path[UNIX_PATH_MOST + 1];
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

/* True if a page that came from elsewhere cannot have sent this Host: a number, localhost, or the configured name. */
bool admin_host_is_own(const struct admin *admin, const char *host);
