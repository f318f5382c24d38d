/* The admin server's answers. */
#include "daemon/admin_server.h"

#include "daemon/admin_metrics.h"
#include "daemon/admin_tap.h"
#include "daemon/page.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	HEALTH_PATIENCE_MS = 5000, /* a loop that has not turned for that long is ill */
	SINK_PATIENCE_MS = 60000,  /* a sink that fails for longer is not ready */
	RATE_MS = 1000             /* what rates are told over, at least */
};

struct answer {
	struct MHD_Connection *connection;
	struct admin *admin;
	bool remote; /* it came by the address, not by the socket */
};

static const char text_plain[] = "text/plain; charset=utf-8";
static const char application_json[] = "application/json";

/* --- sending ------------------------------------------------------------------------------------------------------- */

void admin_describe(struct MHD_Response *response, const char *type)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
}

static enum MHD_Result queue(const struct answer *answer, unsigned status, const char *type,
	struct MHD_Response *response)
{
	if (!response)
		return MHD_NO;
	admin_describe(response, type);
	const enum MHD_Result result = MHD_queue_response(answer->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result say(const struct answer *answer, unsigned status, const char *text)
{
	return queue(answer, status, text_plain,
		MHD_create_response_from_buffer(
			strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY));
}

/* `text` is allocated; NULL: there was no memory for it. */
static enum MHD_Result give(
	const struct answer *answer, unsigned status, const char *type, char *text)
{
	if (!text)
		return say(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "not enough memory\n");
	return queue(answer, status, type,
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

struct metrics_about admin_about(const struct admin *admin)
{
	return (struct metrics_about){ .backend = loop_backend(admin->workers->loop),
		.generation = admin->generation,
		.reload_failures = admin->reload_failures };
}

static enum MHD_Result give_metrics(const struct answer *answer)
{
	if (admin_metrics(answer->admin, answer->connection))
		return MHD_YES;
	return say(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "not enough memory\n");
}

/* What is told from is at least RATE_MS old, and of the same plan. */
static void age(struct admin *admin, const struct snapshot *snapshot)
{
	struct snapshot *older = &admin->before[0], *newer = &admin->before[1];

	if (newer->nodes && newer->number != snapshot->number) {
		snapshot_close(older);
		snapshot_close(newer);
	}
	if (newer->nodes && snapshot->at >= newer->at + RATE_MS) {
		snapshot_close(older);
		*older = *newer;
		*newer = (struct snapshot){ 0 };
	}
}

/* Keeps the snapshot for the rates of later ones. */
static char *status_with_rates(struct admin *admin, struct snapshot *snapshot)
{
	struct snapshot *older = &admin->before[0], *newer = &admin->before[1];

	pthread_mutex_lock(&admin->lock);
	struct status_about facts = { .metrics = admin_about(admin),
		.uptime = (double)(snapshot->at - admin->started) / 1e3,
		.last_reload = admin->last_reload[0] ? admin->last_reload : NULL,
		.last_reload_at = admin->last_reload_at,
		.reloading = admin->reloading,
		.waits_for = admin->waits_for };
	facts.tap_count = taps_list(&admin->workers->taps, facts.taps);
	age(admin, snapshot);
	char *text = status_json(snapshot, older->nodes ? older : NULL, &facts);
	if (newer->nodes) {
		snapshot_close(snapshot);
	} else {
		snapshot_let_go(snapshot);
		*newer = *snapshot;
	}
	pthread_mutex_unlock(&admin->lock);
	return text;
}

static enum MHD_Result give_status(const struct answer *answer)
{
	struct snapshot snapshot;

	if (!workers_ask(answer->admin->workers, ADMIN_PATIENCE_MS, &snapshot))
		return give(answer, MHD_HTTP_OK, application_json, NULL);
	return give(
		answer, MHD_HTTP_OK, application_json, status_with_rates(answer->admin, &snapshot));
}

static enum MHD_Result give_health(const struct answer *answer)
{
	struct snapshot snapshot;

	if (!workers_ask(answer->admin->workers, HEALTH_PATIENCE_MS, &snapshot))
		return give(answer, MHD_HTTP_OK, text_plain, NULL);
	const bool well = snapshot.complete;
	snapshot_close(&snapshot);
	return well ? say(answer, MHD_HTTP_OK, "ok\n")
		    : say(answer, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "a loop has not turned for 5 seconds\n");
}

static void write_node_reason(FILE *out, const struct node *node, const struct node_report *report)
{
	if (node->role == NODE_SINK && report->down > SINK_PATIENCE_MS)
		fprintf(out, "%s has failed for %" PRIu64 " s\n", node->name, report->down / 1000);
	if (node->role == NODE_SOURCE && report->deaf)
		fprintf(out, "%s does not listen\n", node->name);
}

/* One line a reason; nothing if it is ready. */
static void write_reasons(FILE *out, struct admin *admin, const struct snapshot *snapshot)
{
	const struct plan *plan = snapshot->plan;
	const struct node_report *report = snapshot->nodes;

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++, report++)
			write_node_reason(out, plan->pipelines[i]->nodes[k], report);
	if (!snapshot->complete)
		fprintf(out, "a loop does not answer\n");
	pthread_mutex_lock(&admin->lock);
	if (admin->reloading && admin->waits_for[0])
		fprintf(out, "a reload is in progress, and waits for %s\n", admin->waits_for);
	if (admin->reload_refused)
		fprintf(out, "%s\n", admin->last_reload);
	pthread_mutex_unlock(&admin->lock);
}

static enum MHD_Result give_readiness(const struct answer *answer)
{
	struct snapshot snapshot;
	char *text = NULL;
	size_t size = 0;

	if (!workers_ask(answer->admin->workers, ADMIN_PATIENCE_MS, &snapshot))
		return give(answer, MHD_HTTP_OK, text_plain, NULL);
	FILE *out = open_memstream(&text, &size);
	if (out) {
		write_reasons(out, answer->admin, &snapshot);
		fclose(out);
	}
	snapshot_close(&snapshot);
	if (!text || size > 0)
		return give(answer, MHD_HTTP_SERVICE_UNAVAILABLE, text_plain, text);
	free(text);
	return say(answer, MHD_HTTP_OK, "ready\n");
}

static enum MHD_Result give_page(const struct answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		page_html_size, (void *)(uintptr_t)page_html, MHD_RESPMEM_PERSISTENT);

	if (response)
		MHD_add_response_header(response, "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; script-src "
			"'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors "
			"'none'");
	return queue(answer, MHD_HTTP_OK, "text/html; charset=utf-8", response);
}

static enum MHD_Result obey_reopen(const struct answer *answer)
{
	const struct admin_commands *commands = &answer->admin->commands;

	commands->reopen(commands->context);
	return say(answer, MHD_HTTP_OK, "reopening the files of sinks\n");
}

/* What came of it in a line, then what was wrong. */
static enum MHD_Result obey_reload(const struct answer *answer)
{
	const struct admin_commands *commands = &answer->admin->commands;
	char outcome[CONTROL_TEXT], *details = NULL, *text = NULL;
	const bool good = commands->reload(commands->context, outcome, &details);
	const int size = asprintf(&text, "%s\n%s", outcome, details ? details : "");

	free(details);
	return give(
		answer, good ? MHD_HTTP_OK : MHD_HTTP_CONFLICT, text_plain, size < 0 ? NULL : text);
}

static enum MHD_Result give_tap(const struct answer *answer)
{
	char why[300];
	unsigned status;
	struct MHD_Response *response =
		admin_tap(answer->admin, answer->connection, &status, why, sizeof(why));

	if (!response)
		return say(answer, status, why);
	return queue(answer, status, "application/octet-stream", response);
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

struct route {
	const char *path;
	bool local;   /* at the socket only */
	bool changes; /* by POST */
	enum MHD_Result (*answer)(const struct answer *answer);
};

static const struct route routes[] = {
	{ "/", false, false, give_page },
	{ "/metrics", false, false, give_metrics },
	{ "/health", false, false, give_health },
	{ "/ready", false, false, give_readiness },
	{ "/status", false, false, give_status },
	{ "/tap", true, false, give_tap },
	{ "/reopen", true, true, obey_reopen },
	{ "/reload", true, true, obey_reload },
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

static bool is_remote(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return !info || !info->client_addr || info->client_addr->sa_family != AF_UNIX;
}

/* The name without its port. */
static size_t name_size(const char *host)
{
	if (host[0] == '[')
		return strcspn(host, "]") + (strchr(host, ']') != NULL);
	return strcspn(host, ":");
}

bool admin_host_is_own(const struct admin *admin, const char *host)
{
	struct in6_addr binary;
	char name[256];
	const size_t size = host ? name_size(host) : 0;

	if (size == 0 || size >= sizeof(name))
		return false;
	memcpy(name, host, size);
	name[size] = '\0';
	if (name[0] == '[' && name[size - 1] == ']') {
		name[size - 1] = '\0';
		return inet_pton(AF_INET6, name + 1, &binary) == 1;
	}
	return inet_pton(AF_INET, name, &binary) == 1 || strcasecmp(name, "localhost") == 0 ||
	       (admin->host && strcasecmp(name, admin->host) == 0);
}

static enum MHD_Result route(
	const struct answer *answer, const struct route *route, const char *method)
{
	const bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
			   strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	const char *host = MHD_lookup_connection_value(
		answer->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	if (answer->remote && !admin_host_is_own(answer->admin, host))
		return say(answer, MHD_HTTP_FORBIDDEN,
			"the Host of the request is not this server's: write its address or "
			"localhost\n");
	if (!route)
		return say(answer, MHD_HTTP_NOT_FOUND,
			"there are: / /metrics /health /ready /status\n");
	if (route->local && answer->remote)
		return say(answer, MHD_HTTP_FORBIDDEN, "only at the unix socket\n");
	if (route->changes ? strcmp(method, MHD_HTTP_METHOD_POST) != 0 : !reads)
		return say(answer, MHD_HTTP_METHOD_NOT_ALLOWED,
			route->changes ? "by POST\n" : "by GET\n");
	return route->answer(answer);
}

enum MHD_Result admin_serve(void *context, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **memory)
{
	static int seen;
	const struct answer answer = {
		.connection = connection, .admin = context, .remote = is_remote(connection)
	};

	(void)version;
	(void)upload;
	if (!*memory) { /* the headers have come; what follows them has not */
		*memory = &seen;
		return MHD_YES;
	}
	if (*upload_size > 0) { /* nothing is done with it */
		*upload_size = 0;
		return MHD_YES;
	}
	return route(&answer, find_route(path), method);
}
