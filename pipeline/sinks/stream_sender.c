/* Stream senders: see the header. */

#include "pipeline/sinks/stream_sender.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MOST_DISCARDED = 1024 * 1024, /* of what a peer sends us, a wake-up */
	FINISH_MS = 2000              /* for the peer to close, when all was sent */
};

/* Each change of phase moves the time at which write() has something to do. */
static void enter(struct stream_sender *sender, enum stream_phase phase, uint64_t at)
{
	struct node *node = sender->node;

	sender->phase = phase;
	sender->at = at;
	node->due = at;
	node->up = phase == STREAM_UP;
	node->connections = phase == STREAM_UP || phase == STREAM_FINISHING;
	node_wake(node);
}

/* A connection. */

static void watch_peer(struct stream_sender *sender)
{
	sender->node->busy++;
	io_poll(sender->node->loop, &sender->watch, sender->fd, POLLIN | POLLRDHUP);
}

static void connected(void *owner, int fd)
{
	struct stream_sender *sender = owner;

	if (sender->prepare)
		sender->prepare(sender, fd);
	sender->fd = fd;
	enter(sender, STREAM_UP, 0);
	watch_peer(sender);
}

static void connect_again(struct stream_sender *sender)
{
	const char *reason = sender->trouble ? strerror(-sender->trouble) : "closed by the peer";

	enter(sender, STREAM_CONNECTING, 0);
	connector_lost(&sender->connector, reason);
}

static void be_closed(struct stream_sender *sender)
{
	connector_stop(&sender->connector);
	enter(sender, STREAM_CLOSED, 0);
}

static void close_when_idle(struct stream_sender *sender)
{
	struct batch *in = sender->node->in;

	if (sender->watch.in_flight || sender->send.in_flight)
		return;
	close(sender->fd);
	sender->fd = -1;
	gather_restart(&sender->gather, in, sender->node->framing);
	sender->gather.owes_delimiter = false; /* the next connection is a new stream */
	sender->node->safe = in->taken.views;
	if (sender->over)
		be_closed(sender);
	else
		connect_again(sender);
}

static void leave_connection(struct stream_sender *sender, int trouble)
{
	sender->trouble = trouble;
	enter(sender, STREAM_CLOSING, 0);
	io_cancel(&sender->watch);
	io_cancel(&sender->send);
	close_when_idle(sender);
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
	struct stream_sender *sender = watch->owner;

	sender->node->busy--;
	if (sender->phase == STREAM_CLOSING) {
		close_when_idle(sender);
		return;
	}
	int answer = result < 0 ? result : discard_input(sender->fd);
	if (answer == -EAGAIN)
		watch_peer(sender);
	else
		leave_connection(sender, answer);
}

static void take_sent(struct stream_sender *sender, uint64_t bytes)
{
	struct node *node = sender->node;

	gather_written(&sender->gather, node->in, bytes);
	node->account.sent += bytes;
	node->safe = node->in->taken.views;
}

/* No send is in flight that could fail to get anywhere. */
static void stand_still(struct stream_sender *sender)
{
	if (sender->phase != STREAM_UP)
		return;
	sender->at = 0;
	sender->node->due = 0;
}

static void sent(struct io_operation *send, int result)
{
	struct stream_sender *sender = send->owner;

	sender->node->busy--;
	stand_still(sender);
	if (result > 0)
		take_sent(sender, (uint64_t)result);
	if (sender->phase == STREAM_CLOSING)
		close_when_idle(sender);
	else if (result < 0)
		leave_connection(sender, result);
	node_wake(sender->node);
}

/* The end. */

static void finish(struct stream_sender *sender)
{
	shutdown(sender->fd, SHUT_WR);
	sender->over = true;
	enter(sender, STREAM_FINISHING, node_now(sender->node) + FINISH_MS);
}

/* Ends whatever it is at. */
static void stop(struct stream_sender *sender)
{
	sender->over = true;
	if (sender->phase == STREAM_UP || sender->phase == STREAM_FINISHING)
		leave_connection(sender, 0);
	else if (sender->phase == STREAM_CONNECTING)
		connector_stop(&sender->connector);
	if (sender->phase == STREAM_CONNECTING && sender->connector.phase == CONNECTOR_STOPPED)
		enter(sender, STREAM_CLOSED, 0);
}

/* A send that gets nowhere, and a peer that does not close, have had their time. */
static void keep_time(struct stream_sender *sender)
{
	if (sender->phase == STREAM_CONNECTING)
		connector_keep_time(&sender->connector);
	if (!sender->at || node_now(sender->node) < sender->at)
		return;
	if (sender->phase == STREAM_UP)
		leave_connection(sender, -ETIMEDOUT);
	else if (sender->phase == STREAM_FINISHING)
		leave_connection(sender, 0);
}

void stream_sender_write(struct stream_sender *sender, struct batch *in)
{
	struct node *node = sender->node;

	keep_time(sender);
	if (sender->phase != STREAM_UP || sender->send.in_flight)
		return;
	uint64_t bytes = gather_fill(&sender->gather, in, node->framing, NODE_MOST_A_ROUND);
	node->safe = in->taken.views;
	if (bytes == 0)
		return;
	node->busy++;
	sender->at = node_now(node) + sender->connector.timeout;
	node->due = sender->at;
	io_send(node->loop, &sender->send, sender->fd, sender->gather.pieces, sender->gather.count);
}

bool stream_sender_end(struct stream_sender *sender)
{
	keep_time(sender);
	if (sender->phase == STREAM_UP)
		finish(sender);
	else if (sender->phase != STREAM_FINISHING)
		stop(sender);
	return sender->phase == STREAM_CLOSED && sender->node->busy == 0;
}

void stream_sender_halt(struct stream_sender *sender)
{
	if (sender->node)
		stop(sender);
}

/* The connection is closed, and what it had of a record forgotten. */
bool stream_sender_leave(const struct stream_sender *sender)
{
	return sender->gather.written == 0;
}

bool stream_sender_open(struct stream_sender *sender, struct node *node, struct faults *faults)
{
	if (!gather_open(&sender->gather))
		return node_fault(node, faults, NULL, "out of memory");
	sender->node = node;
	sender->fd = -1;
	sender->watch = (struct io_operation){ .done = watched, .owner = sender };
	sender->send = (struct io_operation){ .done = sent, .owner = sender };
	sender->connector.node = node;
	sender->connector.type = SOCK_STREAM;
	sender->connector.connected = connected;
	sender->connector.owner = sender;
	connector_begin(&sender->connector);
	return true;
}

void stream_sender_close(struct stream_sender *sender)
{
	assert(!sender->node || sender->node->busy == 0);
	gather_close(&sender->gather);
}
