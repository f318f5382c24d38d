/* Control. */
#include "daemon/control.h"

#include "daemon/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void control_open(struct control *control)
{
	pthread_condattr_t attributes;

	*control = (struct control){ 0 };
	pthread_mutex_init(&control->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&control->answered, &attributes);
	pthread_condattr_destroy(&attributes);
}

void control_close(struct control *control)
{
	pthread_cond_destroy(&control->answered);
	pthread_mutex_destroy(&control->lock);
	free(control->details);
}

void control_ask_reopen(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	control->reopen = true;
	pthread_mutex_unlock(&control->lock);
}

uint64_t control_ask_reload(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	const uint64_t number = ++control->asked;
	pthread_mutex_unlock(&control->lock);
	return number;
}

bool control_wait(struct control *control, uint64_t number, uint64_t patience_ms,
	char outcome[CONTROL_TEXT], char **details)
{
	const struct timespec end = clock_after(patience_ms);
	int late = 0;

	pthread_mutex_lock(&control->lock);
	while (control->done < number && !control->over && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&control->answered, &control->lock, &end);
	const bool answered = control->done >= number;
	const bool good = answered && control->good;
	snprintf(outcome, CONTROL_TEXT, "%s",
		answered        ? control->outcome
		: control->over ? "the reload was refused: the daemon is ending"
				: "the reload is still under way");
	*details = answered && control->details ? strdup(control->details) : NULL;
	pthread_mutex_unlock(&control->lock);
	return good;
}

bool control_take_reopen(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	const bool asked = control->reopen;
	control->reopen = false;
	pthread_mutex_unlock(&control->lock);
	return asked;
}

bool control_take_reload(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	const bool asked = control->taken < control->asked;
	control->taken = control->asked;
	pthread_mutex_unlock(&control->lock);
	return asked;
}

void control_answer(struct control *control, bool good, const char *outcome, const char *details)
{
	pthread_mutex_lock(&control->lock);
	control->done = control->taken;
	control->good = good;
	snprintf(control->outcome, sizeof(control->outcome), "%s", outcome);
	free(control->details);
	control->details = details ? strdup(details) : NULL;
	pthread_cond_broadcast(&control->answered);
	pthread_mutex_unlock(&control->lock);
}

void control_give_up(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	control->over = true;
	pthread_cond_broadcast(&control->answered);
	pthread_mutex_unlock(&control->lock);
}
