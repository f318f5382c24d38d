/* Judging the end. */
#include "daemon/judge.h"

static bool any_node(const struct plan *plan, bool (*did)(const struct node *node))
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			if (did(plan->pipelines[i]->nodes[k]))
				return true;
	return false;
}

/* Known exactly once the workers have ended: what was whole on its way out by then is delivered. */
static struct undelivered undelivered(const struct daemon *daemon)
{
	const struct plan *plan = daemon_plan(daemon);
	struct undelivered sum = daemon->reload.left;

	for (size_t i = 0; i < plan->count; i++)
		undelivered_add(&sum, plan->pipelines[i]);
	return sum;
}

static enum exit_status judge_cut_short(struct daemon *daemon)
{
	const struct undelivered left = undelivered(daemon);

	if (!undelivered_any(&left))
		return STATUS_FINE;
	undelivered_say(&left, &daemon->log,
		daemon->signals.ends > 1 ? "the drain was cut short"
					 : "the drain deadline has passed");
	return STATUS_UNDELIVERED;
}

static enum exit_status judge_finished(const struct daemon *daemon)
{
	const struct plan *plan = daemon_plan(daemon);

	if (daemon->deadline > 0)
		return STATUS_FINE;
	if (daemon->reload.unread || any_node(plan, node_left_unread))
		return STATUS_CANNOT_OPEN;
	if (daemon->reload.bad_data || any_node(plan, node_lost_bad_data))
		return STATUS_BAD_DATA;
	return STATUS_FINE;
}

enum exit_status judge(struct daemon *daemon, bool finished)
{
	if (daemon->reload.broken)
		return STATUS_CANNOT_OPEN;
	return finished ? judge_finished(daemon) : judge_cut_short(daemon);
}
