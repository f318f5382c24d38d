/* GET /metrics. */
#include "daemon/admin_metrics.h"

#include "daemon/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
	EACH_MS = 100,  /* so often there is a new answer in the long run */
	BURST_MS = 1000 /* so much of that may be used at once */
};

/* Each new answer moves `due` on; it may be ahead of the clock by the burst. */
static bool may_ask(struct admin_metrics *metrics)
{
	const uint64_t time = clock_ms();

	if (metrics->due < time)
		metrics->due = time;
	return metrics->due < time + BURST_MS;
}

static bool is_due(struct admin_metrics *metrics, const struct metrics_about *about)
{
	return !metrics->response || metrics->generation != about->generation ||
	       metrics->reload_failures != about->reload_failures || may_ask(metrics);
}

static struct metrics_about look_about(struct admin *admin)
{
	pthread_mutex_lock(&admin->lock);
	const struct metrics_about about = admin_about(admin);
	pthread_mutex_unlock(&admin->lock);
	return about;
}

/* NULL without memory. */
static char *write_metrics(
	struct admin *admin, const struct metrics_about *about, struct admin_metrics *metrics)
{
	struct snapshot snapshot;

	if (!workers_ask(admin->workers, ADMIN_PATIENCE_MS, &snapshot))
		return NULL;
	char *text = metrics_text(&snapshot, about);
	metrics->due += EACH_MS;
	snapshot_close(&snapshot);
	metrics->generation = about->generation;
	metrics->reload_failures = about->reload_failures;
	return text;
}

static void refresh(
	struct admin *admin, const struct metrics_about *about, struct admin_metrics *metrics)
{
	admin_metrics_close(metrics);
	char *text = write_metrics(admin, about, metrics);
	if (!text)
		return;
	metrics->response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (metrics->response)
		admin_describe(metrics->response, "text/plain; version=0.0.4; charset=utf-8");
	else
		free(text);
}

/* Who comes while another one waits for the workers gets the same answer. */
enum MHD_Result admin_metrics(struct admin *admin, struct MHD_Connection *connection)
{
	struct admin_metrics *metrics = &admin->metrics;
	enum MHD_Result result = MHD_NO;

	pthread_mutex_lock(&metrics->lock);
	const struct metrics_about about = look_about(admin);
	if (is_due(metrics, &about))
		refresh(admin, &about, metrics);
	if (metrics->response)
		result = MHD_queue_response(connection, MHD_HTTP_OK, metrics->response);
	pthread_mutex_unlock(&metrics->lock);
	return result;
}

void admin_metrics_close(struct admin_metrics *metrics)
{
	if (metrics->response)
		MHD_destroy_response(metrics->response);
	metrics->response = NULL;
}
