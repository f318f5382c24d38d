/* The admin server: its sockets and its threads. */
#include "daemon/admin.h"

#include "daemon/admin_metrics.h"
#include "daemon/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	MOST_CONNECTIONS = 64,
	CONNECTION_SECONDS = 30,
	CONNECTION_MEMORY = 32 * 1024, /* a request that is larger is refused */
	THREAD_STACK = 512 * 1024,
	SOCKET_MODE = 0660,
	FOLDER_MODE = 0750
};

static const char usual_host[] = ADMIN_USUAL_HOST;
static const char usual_socket[] = ADMIN_USUAL_SOCKET;

/* The signals are the first thread's: the server's threads are made while all are blocked. */
static struct MHD_Daemon *serve(struct admin *admin, int fd, unsigned flags)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct MHD_Daemon *server = MHD_start_daemon(flags | MHD_USE_ITC, 0, NULL, NULL,
		admin_serve, admin, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
		MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return server;
}

/* --- the address --------------------------------------------------------------------------------------------------- */

static void nobody(void *owner)
{
	(void)owner; /* the sockets are the servers' by then */
}

static const char *serve_address(struct admin *admin, const char *host, uint16_t port)
{
	struct listener listener = { .wake = nobody };
	const char *why = listener_open(&listener, host, port);

	for (uint32_t i = 0; i < listener.count; i++) {
		admin->address_servers[i] =
			serve(admin, listener.sockets[i].fd, MHD_USE_EPOLL_INTERNAL_THREAD);
		if (!admin->address_servers[i] && !why)
			why = strerror(errno);
	}
	return why;
}

static bool open_address(
	struct admin *admin, const struct admin_options *options, struct faults *faults)
{
	const bool given = options->listen.text != NULL;
	const char *host = given ? options->listen.host : usual_host;
	const uint16_t port = given ? options->listen.port : ADMIN_USUAL_PORT;

	admin->host = strdup(host); /* the configuration may be gone before the server */
	if (!admin->host)
		return fault_at(faults, NULL, NULL, "not enough memory to start");
	const char *why = serve_address(admin, host, port);
	if (!why)
		return true;
	if (given)
		return fault_at(faults, NULL, NULL, "cannot serve admin at %s: %s",
			options->listen.text, why);
	log_say(admin->log, LOG_LEVEL_WARNING,
		"no metrics at %s:%d: %s; name another address in service.admin, or false", host,
		ADMIN_USUAL_PORT, why);
	return true;
}

/* --- the socket ---------------------------------------------------------------------------------------------------- */

/* False if there is no usual place: not root, and no folder for what runs. */
static bool usual_path(struct admin *admin)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	int size;

	if (geteuid() == 0) {
		mkdir("/run/viewduct",
			FOLDER_MODE); /* that it is there shows when the socket is made */
		size = snprintf(admin->socket_path, sizeof(admin->socket_path), "%s", usual_socket);
	} else if (access("/run/viewduct", W_OK) == 0) {
		size = snprintf(admin->socket_path, sizeof(admin->socket_path), "%s", usual_socket);
	} else if (folder && *folder) {
		size = snprintf(admin->socket_path, sizeof(admin->socket_path),
			"%s/" ADMIN_USUAL_NAME, folder);
	} else {
		return false;
	}
	return size > 0 && (size_t)size < sizeof(admin->socket_path);
}

/* True: it runs without. */
static bool warn_of_no_place(struct admin *admin)
{
	admin->socket_path[0] = '\0';
	log_say(admin->log, LOG_LEVEL_WARNING,
		"no commands: there is no usual place for their socket; set XDG_RUNTIME_DIR, or "
		"name "
		"a path in service.admin.socket");
	return true;
}

static const char *serve_socket(struct admin *admin)
{
	const char *why =
		unix_socket_open(&admin->socket, admin->socket_path, SOCK_STREAM, SOCKET_MODE);

	if (why)
		return why;
	admin->socket_server = serve(admin, admin->socket.fd,
		MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION);
	return admin->socket_server ? NULL : strerror(errno);
}

static bool open_socket(
	struct admin *admin, const struct admin_options *options, struct faults *faults)
{
	if (options->socket && strlen(options->socket) > UNIX_PATH_MOST)
		return fault_at(faults, NULL, "write a shorter path",
			"the path of service.admin.socket is longer than %d bytes", UNIX_PATH_MOST);
	if (options->socket)
		snprintf(admin->socket_path, sizeof(admin->socket_path), "%s", options->socket);
	else if (!usual_path(admin))
		return warn_of_no_place(admin);
	const char *why = serve_socket(admin);
	if (!why)
		return true;
	if (options->socket)
		return fault_at(
			faults, NULL, NULL, "cannot serve admin at %s: %s", options->socket, why);
	log_say(admin->log, LOG_LEVEL_WARNING,
		"no commands at %s: %s; name another path in service.admin.socket",
		admin->socket_path, why);
	admin->socket_path[0] = '\0';
	return true;
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

bool admin_open(struct admin **admin, const struct admin_options *options, struct workers *workers,
	const struct admin_commands *commands, struct log *log, struct faults *faults)
{
	*admin = NULL;
	if (!options->enabled)
		return true;
	struct admin *made = calloc(1, sizeof(*made));
	if (!made)
		return fault_at(faults, NULL, NULL, "not enough memory to start");
	made->workers = workers;
	made->commands = *commands;
	made->log = log;
	made->started = clock_ms();
	made->generation = 1;
	made->socket.fd = -1;
	pthread_mutex_init(&made->lock, NULL);
	pthread_mutex_init(&made->metrics.lock, NULL);
	*admin = made;
	const bool address = open_address(made, options, faults);
	return open_socket(made, options, faults) && address;
}

void admin_tell(struct admin *admin, uint64_t generation, uint64_t failures, bool good,
	const char *outcome, int64_t at)
{
	if (!admin)
		return;
	pthread_mutex_lock(&admin->lock);
	admin->generation = generation;
	admin->reload_failures = failures;
	snprintf(admin->last_reload, sizeof(admin->last_reload), "%s", outcome);
	admin->last_reload_at = at;
	admin->reload_refused = !good;
	admin->reloading = false;
	pthread_mutex_unlock(&admin->lock);
}

void admin_tell_reloading(struct admin *admin, const char *waits_for)
{
	if (!admin)
		return;
	pthread_mutex_lock(&admin->lock);
	admin->reloading = true;
	snprintf(admin->waits_for, sizeof(admin->waits_for), "%s", waits_for ? waits_for : "");
	pthread_mutex_unlock(&admin->lock);
}

void admin_close(struct admin *admin)
{
	if (!admin)
		return;
	counters_give_up(&admin->workers->counters);
	atomic_store(&admin->ending, true);
	for (size_t i = 0; i < LISTENER_MOST_SOCKETS; i++)
		if (admin->address_servers[i])
			MHD_stop_daemon(admin->address_servers[i]);
	if (admin->socket_server)
		MHD_stop_daemon(admin->socket_server);
	if (admin->socket_path[0])
		unix_socket_remove(&admin->socket, admin->socket_path);
	for (size_t i = 0; i < 2; i++)
		snapshot_close(&admin->before[i]);
	admin_metrics_close(&admin->metrics);
	pthread_mutex_destroy(&admin->metrics.lock);
	pthread_mutex_destroy(&admin->lock);
	free(admin->host);
	free(admin);
}
