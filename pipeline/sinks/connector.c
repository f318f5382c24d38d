/* Connectors: see the header. */

#include "pipeline/sinks/connector.h"

#include "pipeline/sinks/remedy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { TEXT = 400 };

static const char *target_text(const struct connector *connector, size_t target)
{
	return connector->paths ? connector->paths[target] : connector->addresses[target].text;
}

void connector_describe(const struct connector *connector, char *text, size_t size)
{
	const char *first = target_text(connector, 0);

	if (connector->count == 1)
		snprintf(text, size, "%s", first);
	else
		snprintf(text, size, "%s or %zu more", first, connector->count - 1);
}

static void enter(struct connector *connector, enum connector_phase phase, uint64_t at)
{
	connector->phase = phase;
	connector->at = at;
	connector->node->due = at;
	node_wake(connector->node);
}

static void be_down(
	struct connector *connector, const char *what, const char *reason, uint64_t pause)
{
	char text[TEXT], next[64];

	snprintf(text, sizeof(text), "%s %s: %s", what, target_text(connector, connector->target),
		reason);
	snprintf(next, sizeof(next), "trying again in %" PRIu64 " ms", pause);
	trouble_meet(&connector->trouble, connector->node, LOG_LEVEL_WARNING, text, next);
}

static void say_up(struct connector *connector)
{
	const char *text = target_text(connector, connector->target);
	bool was_down = connector->trouble.lasts;
	uint64_t down = trouble_end(&connector->trouble, connector->node);

	if (was_down) {
		connector->node->account.reconnects++;
		node_log(connector->node, LOG_LEVEL_INFO,
			"connected to %s after %" PRIu64 ".%" PRIu64 " s", text, down / 1000,
			down % 1000 / 100);
	} else
		node_log(connector->node, LOG_LEVEL_INFO, "connected to %s", text);
}

static void pause_after(struct connector *connector, const char *what, const char *reason)
{
	uint64_t pause = pauses_next(&connector->pauses, &connector->retry);

	be_down(connector, what, reason, pause);
	connector->failed = 0;
	enter(connector, CONNECTOR_PAUSING, node_now(connector->node) + pause);
}

static void next_target(struct connector *connector)
{
	connector->target = (connector->target + 1) % connector->count;
}

static void dial(struct connector *connector)
{
	struct dialer *dialer = &connector->dialer;

	if (connector->paths) {
		dialer->path = connector->paths[connector->target];
	} else {
		dialer->host = connector->addresses[connector->target].host;
		dialer->port = connector->addresses[connector->target].port;
	}
	enter(connector, CONNECTOR_DIALING, node_now(connector->node) + connector->timeout);
	connector->node->busy++;
	dialer_dial(dialer);
}

/* The pause follows when nobody in the list has answered; it names the last of them. */
static void dial_failed(struct connector *connector, int result)
{
	node_error(connector->node, ERROR_CONNECT);
	if (++connector->failed < connector->count) {
		next_target(connector);
		enter(connector, CONNECTOR_PAUSING, node_now(connector->node));
		return;
	}
	char reason[TEXT];
	const char *remedy = remedy_for_peer(-result, connector->paths != NULL);

	snprintf(reason, sizeof(reason), "%s%s%s%s", dialer_reason(result), remedy ? " (" : "",
		remedy ? remedy : "", remedy ? ")" : "");
	pause_after(connector, "cannot connect to", reason);
	next_target(connector);
}

static void dialed(struct dialer *dialer, int result)
{
	struct connector *connector = dialer->owner;

	connector->node->busy--;
	if (result >= 0) {
		connector->failed = 0;
		connector->up_since = node_now(connector->node);
		say_up(connector);
		enter(connector, CONNECTOR_CONNECTED, 0);
		connector->connected(connector->owner, result);
	} else if (result == -ECANCELED) {
		enter(connector, CONNECTOR_STOPPED, 0);
	} else {
		dial_failed(connector, result);
	}
}

void connector_begin(struct connector *connector)
{
	connector->dialer = (struct dialer){
		.loop = connector->node->loop,
		.type = connector->type,
		.done = dialed,
		.owner = connector,
	};
	pauses_begin(&connector->pauses, &connector->retry);
	dial(connector);
}

void connector_keep_time(struct connector *connector)
{
	uint64_t now = node_now(connector->node);

	if (now < connector->at)
		return;
	if (connector->phase == CONNECTOR_PAUSING) {
		dial(connector);
	} else if (connector->phase == CONNECTOR_DIALING) {
		enter(connector, CONNECTOR_DIALING, now + connector->timeout);
		dialer_skip(&connector->dialer);
	}
}

/* A connection that did not outlive the pause that would come next counts as one more failure. */
void connector_lost(struct connector *connector, const char *reason)
{
	uint64_t lived = node_now(connector->node) - connector->up_since;

	if (lived > connector->pauses.next)
		pauses_begin(&connector->pauses, &connector->retry);
	node_error(connector->node, ERROR_WRITE);
	pause_after(connector, "lost the connection to", reason);
	next_target(connector);
}

void connector_stop(struct connector *connector)
{
	if (connector->phase == CONNECTOR_DIALING)
		dialer_cancel(&connector->dialer);
	else if (connector->phase != CONNECTOR_STOPPED)
		enter(connector, CONNECTOR_STOPPED, 0);
}
