/* tcp: sends to one address, and connects again, for ever, when it is not there.
 *
 * Failing is never fatal. While there is no connection nothing is taken, and back-pressure does the rest. What a broken
 * connection had not wholly handed to the kernel is sent again on the next one, from a record's border.
 *
 *     PAUSING ◀──▶ DIALING ──▶ UP ──▶ FINISHING
 *        ▲            │         │         │
 *        └── CLOSING ─┼─────────┴─────────┴──▶ CLOSED
 */

#include "pipeline/io/dialer.h"
#include "pipeline/io/gather.h"
#include "pipeline/node.h"
#include "pipeline/sinks/retry.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MOST_A_SEND = 256 * 1024,
	MOST_DISCARDED = 1024 * 1024, /* of what a peer sends us, a wake-up */
	DIAL_MS = 30000,              /* for one address */
	FINISH_MS = 2000              /* for the peer to close, when all was sent */
};

enum phase {
	PAUSING, /* until `at` */
	DIALING, /* an address has until `at` */
	UP,
	FINISHING, /* all was sent and our side is shut; the peer has until `at` */
	CLOSING,   /* until nothing is in flight */
	CLOSED     /* for good */
};

struct tcp_sink {
	struct address connect;
	struct retry retry;

	struct node *node;
	enum phase phase;
	uint64_t at;
	struct dialer dialer;
	int fd;
	struct io_operation watch, send;
	struct gather gather;

	struct pauses pauses;
	uint64_t up_since;
	uint64_t down_since;
	bool is_down; /* and it was said */
	bool over;    /* it will not connect again */
	int trouble;  /* why the connection is closing: −errno, 0: the peer closed it */
};

static const struct option options[] = {
	OPTION(ADDRESS, struct tcp_sink, connect, .required = true, .primary = true,
		.example = "\"127.0.0.1:5141\"",
		.doc = "Where to connect: a name or address, and a port. A name is looked up at "
		       "each attempt."),
	OPTION_GROUP(struct tcp_sink, retry, retry_options,
		.doc = "How it connects again, for ever, with pauses that grow and vary by a "
		       "quarter."),
	OPTIONS_END
};

/* Changes of state. */

/* Each of them moves the time at which write() has something to do. */
static void enter(struct tcp_sink *sink, enum phase phase, uint64_t at)
{
	struct node *node = sink->node;

	sink->phase = phase;
	sink->at = at;
	node->due = at;
	node->up = phase == UP;
	node->connections = phase == UP || phase == FINISHING;
	node_wake(node);
}

/* Says that it is down, once. */
static void be_down(struct tcp_sink *sink, const char *what, const char *reason, uint64_t pause)
{
	if (sink->is_down)
		return;
	sink->is_down = true;
	sink->down_since = node_now(sink->node);
	node_log(sink->node, LOG_LEVEL_WARNING, "%s %s: %s; trying again in %" PRIu64 " ms", what,
		sink->connect.text, reason, pause);
}

static void say_up(struct tcp_sink *sink)
{
	uint64_t down = node_now(sink->node) - sink->down_since;

	if (sink->is_down)
		node_log(sink->node, LOG_LEVEL_INFO,
			"connected to %s after %" PRIu64 ".%" PRIu64 " s", sink->connect.text,
			down / 1000, down % 1000 / 100);
	else
		node_log(sink->node, LOG_LEVEL_INFO, "connected to %s", sink->connect.text);
	sink->is_down = false;
}

static void pause_after(struct tcp_sink *sink, const char *what, const char *reason)
{
	uint64_t pause = pauses_next(&sink->pauses, &sink->retry);

	be_down(sink, what, reason, pause);
	enter(sink, PAUSING, node_now(sink->node) + pause);
}

static void dial(struct tcp_sink *sink)
{
	enter(sink, DIALING, node_now(sink->node) + DIAL_MS);
	sink->node->busy++;
	dialer_dial(&sink->dialer);
}

/* A connection. */

static void watch_peer(struct tcp_sink *sink)
{
	sink->node->busy++;
	io_poll(sink->node->loop, &sink->watch, sink->fd, POLLIN | POLLRDHUP);
}

static void begin_connection(struct tcp_sink *sink, int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	sink->fd = fd;
	sink->up_since = node_now(sink->node);
	say_up(sink);
	enter(sink, UP, 0);
	watch_peer(sink);
}

static void dialed(struct dialer *dialer, int result)
{
	struct tcp_sink *sink = dialer->owner;

	sink->node->busy--;
	if (result >= 0)
		begin_connection(sink, result);
	else if (sink->over)
		enter(sink, CLOSED, 0);
	else
		pause_after(sink, "cannot connect to", dialer_reason(result));
}

/* A connection that did not outlive the pause that would come next counts as one more failure. */
static void connect_again(struct tcp_sink *sink)
{
	uint64_t lived = node_now(sink->node) - sink->up_since;
	const char *reason = sink->trouble ? strerror(-sink->trouble) : "closed by the peer";

	if (lived > sink->pauses.next)
		pauses_begin(&sink->pauses, &sink->retry);
	pause_after(sink, "lost the connection to", reason);
}

static void close_when_idle(struct tcp_sink *sink)
{
	struct batch *in = sink->node->in;

	if (sink->watch.in_flight || sink->send.in_flight)
		return;
	close(sink->fd);
	sink->fd = -1;
	gather_restart(&sink->gather, in, sink->node->framing);
	sink->gather.owes_delimiter = false; /* the next connection is a new stream */
	sink->node->safe = in->taken.views;
	if (sink->over)
		enter(sink, CLOSED, 0);
	else
		connect_again(sink);
}

static void leave_connection(struct tcp_sink *sink, int trouble)
{
	sink->trouble = trouble;
	enter(sink, CLOSING, 0);
	io_cancel(&sink->watch);
	io_cancel(&sink->send);
	close_when_idle(sink);
}

/* Reads away what the peer sends. 0: it has closed; otherwise −errno. */
static int discard_input(int fd)
{
	ssize_t answer = recv(fd, NULL, MOST_DISCARDED, MSG_TRUNC | MSG_DONTWAIT);

	if (answer > 0 || (answer < 0 && errno == EINTR))
		return -EAGAIN;
	return answer == 0 ? 0 : -errno;
}

static void watched(struct io_operation *watch, int result)
{
	struct tcp_sink *sink = watch->owner;

	sink->node->busy--;
	if (sink->phase == CLOSING) {
		close_when_idle(sink);
		return;
	}
	int answer = result < 0 ? result : discard_input(sink->fd);
	if (answer == -EAGAIN)
		watch_peer(sink);
	else
		leave_connection(sink, answer);
}

static void take_sent(struct tcp_sink *sink, uint64_t bytes)
{
	struct node *node = sink->node;

	gather_written(&sink->gather, node->in, bytes);
	node->account.sent += bytes;
	node->safe = node->in->taken.views;
}

static void sent(struct io_operation *send, int result)
{
	struct tcp_sink *sink = send->owner;

	sink->node->busy--;
	if (result > 0)
		take_sent(sink, (uint64_t)result);
	if (sink->phase == CLOSING)
		close_when_idle(sink);
	else if (result < 0)
		leave_connection(sink, result);
	node_wake(sink->node);
}

/* The end. */

static void finish(struct tcp_sink *sink)
{
	shutdown(sink->fd, SHUT_WR);
	sink->over = true;
	enter(sink, FINISHING, node_now(sink->node) + FINISH_MS);
}

/* Ends whatever it is at. */
static void stop(struct tcp_sink *sink)
{
	sink->over = true;
	switch (sink->phase) {
	case PAUSING:
		enter(sink, CLOSED, 0);
		break;
	case DIALING:
		dialer_cancel(&sink->dialer);
		break;
	case UP:
	case FINISHING:
		leave_connection(sink, 0);
		break;
	case CLOSING:
	case CLOSED:
		break;
	}
}

static void keep_time(struct tcp_sink *sink)
{
	uint64_t now = node_now(sink->node);

	if (!sink->at || now < sink->at)
		return;
	switch (sink->phase) {
	case PAUSING:
		dial(sink);
		break;
	case DIALING:
		enter(sink, DIALING, now + DIAL_MS);
		dialer_skip(&sink->dialer);
		break;
	case FINISHING:
		leave_connection(sink, 0);
		break;
	case UP:
	case CLOSING:
	case CLOSED:
		break;
	}
}

static void tcp_write(struct node *node, struct batch *in)
{
	struct tcp_sink *sink = node->state;

	keep_time(sink);
	if (sink->phase != UP || sink->send.in_flight)
		return;
	uint64_t bytes = gather_fill(&sink->gather, in, node->framing, MOST_A_SEND);
	node->safe = in->taken.views;
	if (bytes == 0)
		return;
	node->busy++;
	io_send(node->loop, &sink->send, sink->fd, sink->gather.pieces, sink->gather.count);
}

static bool tcp_end(struct node *node)
{
	struct tcp_sink *sink = node->state;

	keep_time(sink);
	if (sink->phase == UP)
		finish(sink);
	else if (sink->phase != FINISHING)
		stop(sink);
	return sink->phase == CLOSED && node->busy == 0;
}

static void tcp_halt(struct node *node)
{
	struct tcp_sink *sink = node->state;

	if (sink->node)
		stop(sink);
}

static bool tcp_open(struct node *node, struct faults *faults)
{
	struct tcp_sink *sink = node->state;

	if (!gather_open(&sink->gather))
		return fault_at(faults, NULL, NULL, "%s: out of memory", node->name);
	sink->node = node;
	sink->fd = -1;
	sink->watch = (struct io_operation){ .done = watched, .owner = sink };
	sink->send = (struct io_operation){ .done = sent, .owner = sink };
	sink->dialer = (struct dialer){
		.loop = node->loop,
		.host = sink->connect.host,
		.port = sink->connect.port,
		.done = dialed,
		.owner = sink,
	};
	pauses_begin(&sink->pauses, &sink->retry);
	dial(sink);
	return true;
}

static void tcp_close(struct node *node)
{
	struct tcp_sink *sink = node->state;

	assert(node->busy == 0);
	gather_close(&sink->gather);
}

static bool tcp_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	const struct tcp_sink *sink = node->state;

	(void)in;
	(void)out;
	(void)faults;
	node->charge = gather_cost();
	snprintf(node->how, sizeof(node->how), "sends to %s", sink->connect.text);
	return true;
}

const struct sink_ops sink_tcp = {
	.type = {
		.name = "tcp",
		.doc = "Sends to a TCP address; connects again for ever.",
		.options = options,
		.state_size = sizeof(struct tcp_sink),
		.example = "{\"tcp\": {\"connect\": \"127.0.0.1:5141\"}}",
		.plan = tcp_plan,
		.open = tcp_open,
		.close = tcp_close,
		.halt = tcp_halt,
	},
	.write = tcp_write,
	.end = tcp_end,
};
