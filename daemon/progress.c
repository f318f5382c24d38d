/* Progress. */
#include "daemon/progress.h"

#include "config/units.h"
#include "pipeline/io/loop.h"
#include "pipeline/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INTERVAL_MS = 200 };

/* "1h 5m", "2m 10s", "7s". */
static char *format_left(uint64_t seconds, char text[32])
{
	if (seconds >= 3600)
		snprintf(
			text, 32, "%" PRIu64 "h %" PRIu64 "m", seconds / 3600, seconds % 3600 / 60);
	else if (seconds >= 60)
		snprintf(text, 32, "%" PRIu64 "m %" PRIu64 "s", seconds / 60, seconds % 60);
	else
		snprintf(text, 32, "%" PRIu64 "s", seconds);
	return text;
}

char *progress_format(const struct progress_state *state, char text[128])
{
	char done[32], all[32], rate[32], left[32];
	const double bytes = (double)state->done, most = (double)state->all;
	const double per_second = state->ms ? bytes * 1000 / (double)state->ms : 0;
	const double missing = state->done < state->all ? most - bytes : 0;
	const unsigned percent = state->done < state->all ? (unsigned)(bytes * 100 / most) : 100;

	bytes_for_people(bytes, done);
	bytes_for_people(most, all);
	bytes_for_people(per_second, rate);
	int size = snprintf(text, 128, "%3u %%  %s of %s  %s/s", percent, done, all, rate);
	if (per_second >= 1 && size > 0 && size < 128)
		snprintf(text + size, 128 - (size_t)size, "  %s left",
			format_left((uint64_t)(missing / per_second + 0.999), left));
	return text;
}

/* False unless every source knows how much it will read: else there is no "all". */
static bool measure(const struct plan *plan, struct progress_state *state)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		for (size_t k = 0; k < pipeline->node_count; k++) {
			const struct node *node = pipeline->nodes[k];
			if (node->role != NODE_SOURCE)
				continue;
			if (node->expected == 0 && !node->ended)
				return false;
			state->done += node->account.received;
			state->all += node->expected;
		}
	}
	return state->all > 0;
}

static void on_time(uv_timer_t *timer)
{
	struct progress *progress = timer->data;
	struct progress_state state = { .ms = loop_now(progress->loop) - progress->started };
	char text[128];

	if (measure(progress->plan, &state))
		log_progress(progress->log, progress_format(&state, text));
}

static bool writes_to_terminal(const struct plan *plan)
{
	if (!isatty(STDOUT_FILENO))
		return false;
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			if (node->role == NODE_SINK && strcmp(node->type->name, "stdout") == 0)
				return true;
		}
	return false;
}

static void on_closed(uv_handle_t *handle)
{
	struct progress *progress = handle->data;

	progress->open = false;
}

void progress_open(
	struct progress *progress, struct log *log, struct loop *loop, const struct plan *plan)
{
	*progress = (struct progress){
		.log = log, .loop = loop, .plan = plan, .started = loop_now(loop)
	};
	/* Other threads' counters are theirs while they run. */
	if (plan->workers > 1 || !isatty(log->fd) || writes_to_terminal(plan) ||
		uv_timer_init(loop_uv(loop), &progress->timer) != 0)
		return;
	progress->timer.data = progress;
	progress->open = true;
	uv_timer_start(&progress->timer, on_time, INTERVAL_MS, INTERVAL_MS);
}

void progress_close(struct progress *progress)
{
	if (!progress->open)
		return;
	uv_close((uv_handle_t *)&progress->timer, on_closed);
	while (progress->open)
		loop_turn(progress->loop, 0);
	log_progress(progress->log, NULL);
}
