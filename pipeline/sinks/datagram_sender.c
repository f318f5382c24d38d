/* Datagram senders: see the header. */

#include "pipeline/sinks/datagram_sender.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MESSAGES = 64,     /* a call */
	CALLS_A_WRITE = 16 /* then others get their turn */
};

struct datagrams_out {
	struct mmsghdr messages[MESSAGES];
	struct iovec pieces[IO_MOST_PIECES];
	uint64_t whole[MESSAGES];   /* bytes of the record, with its delimiter */
	uint64_t records[MESSAGES]; /* 1, or those in a frame */
	uint32_t count, piece_count;
};

/* --- gathering ---------------------------------------------------------------------------------------------------- */

static bool is_full(const struct datagrams_out *out)
{
	return out->count == MESSAGES || out->piece_count == IO_MOST_PIECES;
}

static void begin_message(struct datagrams_out *out, uint64_t whole, uint64_t records)
{
	out->messages[out->count].msg_hdr =
		(struct msghdr){ .msg_iov = &out->pieces[out->piece_count] };
	out->whole[out->count] = whole;
	out->records[out->count++] = records;
}

/* False if the message has too many pieces; then it is too large as well. */
static bool add_piece(struct datagrams_out *out, const char *data, size_t size)
{
	if (out->piece_count == IO_MOST_PIECES)
		return false;
	out->pieces[out->piece_count++] =
		(struct iovec){ .iov_base = (void *)data, .iov_len = size };
	out->messages[out->count - 1].msg_hdr.msg_iovlen++;
	return true;
}

/* `size` bytes from `offset` of the batch's first `views` views. */
static bool add_pieces(struct datagrams_out *out, const struct batch *in, uint32_t views,
	size_t offset, size_t size)
{
	for (uint32_t i = 0; i < views && size > 0; i++) {
		const struct view *view = batch_peek(in, i);
		size_t skip = offset < view->size ? offset : view->size;
		size_t part = view->size - skip < size ? view->size - skip : size;

		offset -= skip;
		size -= part;
		if (part > 0 && !add_piece(out, view->data + skip, part))
			return false;
	}
	return true;
}

/* The records of a view that holds nothing but whole ones. */
static void add_run(
	struct datagrams_out *out, const struct view *view, const struct framing *framing)
{
	uint32_t records = view_records(view);
	size_t at = 0;

	for (uint32_t i = 0; i < records && !is_full(out); i++) {
		struct record record = record_in_run(framing, view->data + at, view->size - at,
			i + 1 == records, i + 1 == records && view->tag & VIEW_BARE);

		begin_message(out, record.whole, 1);
		add_piece(out, record.data, record.size);
		at += record.whole;
	}
}

/* The first record, which is in several views; or the first frame, however many it is in. False if it is in too many. */
static bool add_group(struct datagram_sender *sender, const struct batch *in, uint32_t views)
{
	struct record record;

	if (in->kind == FLOW_FRAMES) {
		uint64_t size = 0;

		for (uint32_t i = 0; i < views; i++)
			size += batch_peek(in, i)->size;
		begin_message(sender->out, size, view_records(batch_peek(in, views - 1)));
		return add_pieces(sender->out, in, views, 0, size);
	}
	bool there = record_first(in, sender->node->framing, &sender->scratch, &record);
	assert(there);
	begin_message(sender->out, record.whole, 1);
	return add_pieces(
		sender->out, in, views, (size_t)(record.data - sender->scratch.data), record.size);
}

/* As many messages as there are and fit. False: the first is in more pieces than a call takes. */
static bool gather_messages(struct datagram_sender *sender, const struct batch *in)
{
	struct datagrams_out *out = sender->out;
	uint32_t first = batch_group(in);

	out->count = out->piece_count = 0;
	if (first == 0)
		return true;
	if (first > 1 || in->kind == FLOW_FRAMES)
		return add_group(sender, in, first);
	for (uint32_t i = 0; i < batch_ready(in) && !is_full(out); i++) {
		const struct view *view = batch_peek(in, i);

		if (view_records(view) == 0)
			break;
		add_run(out, view, sender->node->framing);
	}
	return true;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

/* Takes a message's bytes out of the batch. */
static void take_out(struct batch *in, uint64_t whole, uint64_t records)
{
	for (;;) {
		const struct view *first = batch_peek(in, 0);

		if (first->size > whole || view_records(first) > records) {
			batch_advance(in, (uint32_t)whole, (uint32_t)records);
			return;
		}
		bool ends = view_records(first) > 0;
		whole -= first->size;
		struct view view = batch_take(in);
		view_drop(&view);
		if (ends)
			return;
	}
}

static void take_sent(struct datagram_sender *sender, struct batch *in, uint32_t count)
{
	const struct datagrams_out *out = sender->out;

	for (uint32_t i = 0; i < count; i++) {
		take_out(in, out->whole[i], out->records[i]);
		sender->node->account.sent += out->messages[i].msg_len;
	}
}

static void drop_first(struct datagram_sender *sender, struct batch *in)
{
	const struct datagrams_out *out = sender->out;
	struct node *node = sender->node;

	node_drop(node, DROP_TOO_BIG_FOR_DATAGRAM, out->records[0]);
	node_log_gated(node, &sender->big_gate, LOG_LEVEL_WARNING,
		"a record of %" PRIu64 " bytes was dropped: it is too big for a datagram",
		out->whole[0]);
	take_out(in, out->whole[0], out->records[0]);
}

/* Until the socket takes more. */
static void wait_for_room(struct datagram_sender *sender)
{
	struct node *node = sender->node;

	node->busy++;
	io_poll(node->loop, &sender->wait, sender->fd, POLLOUT);
	if (sender->at == 0)
		sender->at = node_now(node) + sender->connector.timeout;
	node->due = sender->at;
}

static void close_when_idle(struct datagram_sender *sender)
{
	if (sender->wait.in_flight)
		return;
	close(sender->fd);
	sender->fd = -1;
	sender->lost = false;
	if (sender->over)
		connector_stop(&sender->connector);
	else
		connector_lost(&sender->connector, strerror(-sender->trouble));
}

static void leave_socket(struct datagram_sender *sender, int trouble)
{
	sender->trouble = trouble;
	sender->lost = true;
	sender->at = 0;
	sender->node->due = 0;
	sender->node->up = false;
	sender->node->connections = 0;
	io_cancel(&sender->wait);
	close_when_idle(sender);
}

static void waited(struct io_operation *wait, int result)
{
	struct datagram_sender *sender = wait->owner;

	(void)result; /* an error shows when sending */
	sender->node->busy--;
	if (sender->lost)
		close_when_idle(sender);
	node_wake(sender->node);
}

static int send_messages(const struct datagram_sender *sender)
{
	int answer;

	do
		answer = sendmmsg(sender->fd, sender->out->messages, sender->out->count,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (answer < 0 && errno == EINTR);
	return answer < 0 ? -errno : answer;
}

/* One call. True if there may be more to send at once. */
static bool send_some(struct datagram_sender *sender, struct batch *in)
{
	bool fits = gather_messages(sender, in);

	if (sender->out->count == 0)
		return false;
	int answer = fits ? send_messages(sender) : -EMSGSIZE;
	if (answer == -EAGAIN || answer == -ENOBUFS) {
		wait_for_room(sender);
		return false;
	}
	sender->at = 0;
	sender->node->due = 0;
	if (answer == -EMSGSIZE)
		drop_first(sender, in);
	else if (answer > 0)
		take_sent(sender, in, (uint32_t)answer);
	else
		leave_socket(sender, answer);
	sender->node->safe = in->taken.views;
	return sender->fd >= 0;
}

static void connected(void *owner, int fd)
{
	struct datagram_sender *sender = owner;

	sender->fd = fd;
	sender->node->up = true;
	sender->node->connections = 1;
}

static void keep_time(struct datagram_sender *sender)
{
	if (sender->fd < 0)
		connector_keep_time(&sender->connector);
	else if (sender->at && node_now(sender->node) >= sender->at && !sender->lost)
		leave_socket(sender, -ETIMEDOUT);
}

void datagram_sender_write(struct datagram_sender *sender, struct batch *in)
{
	keep_time(sender);
	if (sender->fd < 0 || sender->lost || sender->wait.in_flight)
		return;
	for (int calls = 0; calls < CALLS_A_WRITE && send_some(sender, in); calls++)
		;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void stop(struct datagram_sender *sender)
{
	sender->over = true;
	if (sender->fd < 0)
		connector_stop(&sender->connector);
	else if (!sender->lost)
		leave_socket(sender, 0);
}

bool datagram_sender_end(struct datagram_sender *sender)
{
	stop(sender);
	return sender->fd < 0 && sender->connector.phase == CONNECTOR_STOPPED &&
	       sender->node->busy == 0;
}

void datagram_sender_halt(struct datagram_sender *sender)
{
	if (sender->node)
		stop(sender);
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

bool datagram_sender_plan(struct datagram_sender *sender, struct node *node, const struct shape *in,
	struct faults *faults)
{
	if (in->kind == FLOW_BYTES)
		return fault_at(faults, node->value,
			"put {\"split\": \"newline\"} into the pipeline's \"stages\"",
			"\"%s\" sends a record a datagram, but gets bytes", node->type->name);
	sender->scratch_size = 1;
	if (in->kind == FLOW_RECORDS)
		sender->scratch_size = in->max_record + in->framing->delimiter_size;
	node->charge = sizeof(struct datagrams_out) + sender->scratch_size;
	return true;
}

bool datagram_sender_open(struct datagram_sender *sender, struct node *node, struct faults *faults)
{
	sender->out = calloc(1, sizeof(*sender->out));
	if (!sender->out || !scratch_open(&sender->scratch, sender->scratch_size))
		return node_fault(node, faults, NULL, "out of memory");
	sender->node = node;
	sender->fd = -1;
	sender->wait = (struct io_operation){ .done = waited, .owner = sender };
	sender->connector.node = node;
	sender->connector.type = SOCK_DGRAM;
	sender->connector.connected = connected;
	sender->connector.owner = sender;
	connector_begin(&sender->connector);
	return true;
}

void datagram_sender_close(struct datagram_sender *sender)
{
	assert(!sender->node || sender->node->busy == 0);
	scratch_close(&sender->scratch);
	free(sender->out);
	sender->out = NULL;
}
