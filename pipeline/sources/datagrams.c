/* Datagrams: see the header. */

#include "pipeline/sources/datagrams.h"

#include "pipeline/sources/receive.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	MESSAGES = 16,         /* a call */
	MOST_FRESH = 256,      /* buffers of the least size that the largest datagram takes */
	SILENCE_MS = 200,      /* draining: after that everybody has said all */
	USUAL_DATAGRAM = 2048, /* before any has come */
	SLOT_STEP = 64
};

/* One message: where it goes, and what comes beside it. */
struct place {
	struct sockaddr_storage peer;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))];
	uint32_t offset, slot; /* in the current buffer */
	uint32_t fresh_count;
	struct buffer *fresh[MOST_FRESH];
	struct iovec pieces[MOST_FRESH + 1];
};

struct reception {
	struct mmsghdr messages[MESSAGES];
	struct place places[MESSAGES];
};

static void update_counts(struct datagrams *datagrams)
{
	datagrams->node->busy = datagrams->in_use;
}

static uint32_t smaller(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* The fresh buffers that the largest datagram needs behind a slot. */
static uint32_t fresh_behind(const struct datagrams *datagrams, uint32_t slot)
{
	uint32_t size = pool_buffer_size(datagrams->node->pool);

	return slot >= DATAGRAM_MOST ? 0 : (DATAGRAM_MOST - slot + size - 1) / size;
}

/* --- where they go ------------------------------------------------------------------------------------------------ */

/* How many datagrams there is room for, wherever it may be; 0: not even one. `slot` gets what each has in the current
 * buffer, but for the last, which has the rest. */
static uint32_t count_places(
	const struct datagrams *datagrams, const struct batch *out, uint64_t quota, uint32_t *slot)
{
	uint32_t room = buffer_room(datagrams->buffer);
	*slot = smaller(datagrams->slot, room);
	uint32_t fresh = fresh_behind(datagrams, *slot);
	uint32_t count = smaller(room / *slot, MESSAGES);
	count = smaller(count, quota / *slot + 1);
	count = smaller(count, batch_room(out) / (fresh + 1));
	if (fresh > 0)
		count = smaller(count, pool_available(datagrams->node->pool) / fresh);
	if (count > 0)
		return count;
	*slot = room;
	fresh = fresh_behind(datagrams, room);
	return fresh <= pool_available(datagrams->node->pool) && fresh + 1 <= batch_room(out);
}

static void take_fresh(struct datagrams *datagrams, struct place *place)
{
	place->fresh_count = fresh_behind(datagrams, place->slot);
	for (uint32_t i = 0; i < place->fresh_count; i++) {
		struct buffer *fresh = pool_take(datagrams->node->pool);

		assert(fresh);
		place->fresh[i] = fresh;
		place->pieces[i + 1] =
			(struct iovec){ .iov_base = buffer_end(fresh), .iov_len = fresh->size };
	}
}

static void make_place(
	struct datagrams *datagrams, struct place *place, uint32_t offset, uint32_t slot)
{
	place->offset = offset;
	place->slot = slot;
	place->pieces[0] = (struct iovec){
		.iov_base = datagrams->buffer->data + offset,
		.iov_len = slot,
	};
	take_fresh(datagrams, place);
}

static void make_places(struct datagrams *datagrams, uint32_t count, uint32_t slot)
{
	uint32_t offset = datagrams->buffer->published, size = datagrams->buffer->size;

	for (uint32_t i = 0; i < count; i++, offset += slot) {
		struct place *place = &datagrams->reception->places[i];

		make_place(datagrams, place, offset, i + 1 < count ? slot : size - offset);
		datagrams->reception->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &place->peer,
			.msg_namelen = sizeof(place->peer),
			.msg_iov = place->pieces,
			.msg_iovlen = place->fresh_count + 1,
			.msg_control = place->control,
			.msg_controllen = sizeof(place->control),
		};
	}
}

static void give_back(struct datagrams *datagrams, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct place *place = &datagrams->reception->places[i];

		for (uint32_t k = 0; k < place->fresh_count; k++)
			buffer_release(&place->fresh[k]);
		place->fresh_count = 0;
	}
}

/* --- what came ---------------------------------------------------------------------------------------------------- */

static void put(struct datagrams *datagrams, struct batch *out, struct buffer *buffer,
	uint32_t size, bool is_last)
{
	struct view view = view_publish(buffer, size);

	view.tag = datagrams->node->first_stream | (is_last ? VIEW_END : 0);
	bool is_put = batch_put(out, &view);
	assert(is_put);
}

/* What lies between two datagrams is never read. */
static void publish_gap(struct buffer *buffer, uint32_t offset)
{
	if (offset == buffer->published)
		return;
	struct view gap = view_publish(buffer, offset - buffer->published);
	view_drop(&gap);
}

static void put_datagram(
	struct datagrams *datagrams, struct batch *out, struct place *place, uint32_t size)
{
	uint32_t part = smaller(size, place->slot), left = size - part;

	publish_gap(datagrams->buffer, place->offset);
	put(datagrams, out, datagrams->buffer, part, left == 0);
	for (uint32_t i = 0; left > 0; i++) {
		assert(i < place->fresh_count);
		part = smaller(left, place->fresh[i]->size);
		left -= part;
		put(datagrams, out, place->fresh[i], part, left == 0);
	}
	datagrams->node->account.received += size;
}

static void note_kernel_drops(
	struct datagrams *datagrams, struct datagram_socket *socket, uint32_t dropped)
{
	struct node *node = datagrams->node;
	uint32_t more = dropped - socket->kernel_dropped;
	uint64_t missed;

	if (more == 0 || datagrams->counted_elsewhere)
		return;
	socket->kernel_dropped = dropped;
	node->account.kernel_dropped += more;
	if (log_gate_open(&datagrams->dropped_gate, node_now(node), &missed))
		node_log(node, LOG_LEVEL_WARNING,
			"the kernel dropped %" PRIu64 " datagrams so far: they came faster than "
			"they could be taken",
			node->account.kernel_dropped);
}

/* How many the kernel had dropped on this socket when it queued this message; nothing is said where it is none. */
static void read_control(
	struct datagrams *datagrams, struct datagram_socket *socket, struct msghdr *message)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL)
			note_kernel_drops(
				datagrams, socket, *(const uint32_t *)(const void *)CMSG_DATA(at));
}

static void refuse(struct datagrams *datagrams, const struct sockaddr *peer)
{
	struct node *node = datagrams->node;
	char text[INET6_ADDRSTRLEN];

	node->account.refused++;
	node_log_gated(node, &datagrams->refused_gate, LOG_LEVEL_WARNING,
		"a datagram from %s was refused: it is not in \"allow\"",
		network_peer_text(peer, text));
}

static void drop_long(struct datagrams *datagrams)
{
	struct node *node = datagrams->node;

	node_drop(node, DROP_TOO_LONG, 1);
	node_log_gated(node, &datagrams->long_gate, LOG_LEVEL_WARNING,
		"a datagram of more than %d bytes was dropped", DATAGRAM_MOST);
}

static void take_message(struct datagrams *datagrams, struct datagram_socket *socket,
	struct batch *out, uint32_t index)
{
	struct mmsghdr *message = &datagrams->reception->messages[index];
	struct place *place = &datagrams->reception->places[index];
	const struct sockaddr *peer = (const struct sockaddr *)&place->peer;

	read_control(datagrams, socket, &message->msg_hdr);
	if (!networks_hold(&datagrams->allow, peer))
		refuse(datagrams, peer);
	else if (message->msg_hdr.msg_flags & MSG_TRUNC || message->msg_len > DATAGRAM_MOST)
		drop_long(datagrams);
	else if (message->msg_len == 0)
		datagrams->node->account.empty++;
	else
		put_datagram(datagrams, out, place, message->msg_len);
}

/* Slots grow at once and shrink slowly. */
static void adapt_slot(struct datagrams *datagrams, uint32_t largest)
{
	uint32_t wanted = (largest / SLOT_STEP + 1) * SLOT_STEP;

	if (wanted > datagrams->slot)
		datagrams->slot = wanted;
	else
		datagrams->slot -= (datagrams->slot - wanted) / 8;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */

static void say_trouble(struct datagrams *datagrams, int error)
{
	if (error != EAGAIN && error != EINTR)
		node_log_gated(datagrams->node, &datagrams->trouble_gate, LOG_LEVEL_WARNING,
			"cannot receive: %s", strerror(error));
}

static uint64_t take_messages(struct datagrams *datagrams, struct datagram_socket *socket,
	struct batch *out, uint32_t count)
{
	uint64_t bytes = 0;
	uint32_t largest = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t size = datagrams->reception->messages[i].msg_len;

		take_message(datagrams, socket, out, i);
		bytes += size;
		largest = size > largest ? size : largest;
	}
	adapt_slot(datagrams, largest);
	datagrams->active = node_now(datagrams->node);
	return bytes;
}

/* One call. The bytes that it brought. */
static uint64_t receive(struct datagrams *datagrams, struct datagram_socket *socket,
	struct batch *out, uint32_t count, uint32_t slot)
{
	uint64_t bytes = 0;

	make_places(datagrams, count, slot);
	int answer = recvmmsg(
		socket->socket.fd, datagrams->reception->messages, count, MSG_DONTWAIT, NULL);
	if (answer < 0)
		say_trouble(datagrams, errno);
	else
		bytes = take_messages(datagrams, socket, out, (uint32_t)answer);
	give_back(datagrams, count);
	if (answer < (int)count)
		inbox_wait(&socket->socket);
	return bytes;
}

/* Each readable socket in turn, until none is or there is no room. */
static void receive_all(struct datagrams *datagrams, struct batch *out)
{
	uint64_t left = datagrams->node->quota;

	while (left > 0 && datagrams->inbox.count > 0) {
		uint32_t slot;

		if (!receive_ready(&datagrams->buffer, datagrams->node->pool))
			return;
		uint32_t count = count_places(datagrams, out, left, &slot);
		if (count == 0)
			return;
		struct inbox_socket *next = inbox_next(&datagrams->inbox);
		uint64_t bytes =
			receive(datagrams, (struct datagram_socket *)next, out, count, slot);
		left -= smaller(bytes, left);
	}
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void socket_gone(struct inbox_socket *socket)
{
	struct datagrams *datagrams = ((struct datagram_socket *)socket)->datagrams;

	datagrams->in_use--;
	update_counts(datagrams);
	if (datagrams->in_use == 0)
		datagrams->gone(datagrams->owner);
	node_wake(datagrams->node);
}

/* What the kernel has dropped on a socket since it was made; `unknown` where it does not say. */
static uint32_t kernel_drops(int fd, uint32_t unknown)
{
	uint32_t figures[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(figures);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size) < 0 ||
		size <= SK_MEMINFO_DROPS * sizeof(figures[0]))
		return unknown;
	return figures[SK_MEMINFO_DROPS];
}

/* What was dropped since the last datagram came. */
static void count_last_drops(struct datagrams *datagrams, struct datagram_socket *socket)
{
	note_kernel_drops(
		datagrams, socket, kernel_drops(socket->socket.fd, socket->kernel_dropped));
}

static void leave(struct datagrams *datagrams)
{
	if (datagrams->left)
		return;
	datagrams->left = true;
	for (uint32_t i = 0; i < datagrams->count; i++) {
		count_last_drops(datagrams, &datagrams->sockets[i]);
		inbox_forget(&datagrams->sockets[i].socket, socket_gone);
	}
}

static bool has_more(const struct datagrams *datagrams)
{
	for (uint32_t i = 0; i < datagrams->count; i++) {
		struct pollfd waiting = {
			.fd = datagrams->sockets[i].socket.fd,
			.events = POLLIN,
		};

		if (poll(&waiting, 1, 0) > 0)
			return true;
	}
	return false;
}

static void continue_drain(struct datagrams *datagrams)
{
	struct node *node = datagrams->node;
	uint64_t now = node_now(node), silent_at = datagrams->active + SILENCE_MS;

	if (!datagrams->left &&
		(now >= datagrams->deadline || (now >= silent_at && !has_more(datagrams))))
		leave(datagrams);
	node->ended = datagrams->left;
	silent_at = silent_at > now ? silent_at : now + 1;
	node->due = node->ended ? 0 : smaller(silent_at, datagrams->deadline);
}

void datagrams_read(struct datagrams *datagrams, struct batch *out)
{
	receive_all(datagrams, out);
	if (datagrams->draining)
		continue_drain(datagrams);
	update_counts(datagrams);
}

/* Silence counts from now on at the earliest: what was sent just before may still be on its way. */
void datagrams_drain(struct datagrams *datagrams, uint64_t deadline)
{
	struct node *node = datagrams->node;

	datagrams->draining = true;
	datagrams->deadline = deadline;
	datagrams->active = node_now(node);
	node->up = false;
	node->due = datagrams->active;
	node_wake(node);
}

void datagrams_halt(struct datagrams *datagrams)
{
	if (!datagrams->node)
		return;
	datagrams->node->up = false;
	leave(datagrams);
	update_counts(datagrams);
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static void inbox_woke(void *owner)
{
	const struct datagrams *datagrams = owner;

	node_wake(datagrams->node);
}

bool datagrams_plan(struct node *node, struct shape *out, struct faults *faults)
{
	if (node_buffer_size(node) < DATAGRAM_LEAST_BUFFER)
		return fault_at(faults, node->value,
			"set \"buffer\" in \"service\" to 256B or more",
			"\"%s\" needs buffers of at least %dB", node->type->name,
			DATAGRAM_LEAST_BUFFER);
	*out = (struct shape){
		.kind = FLOW_BYTES,
		.streams = 1,
		.connections = out->connections,
		.max_record = DATAGRAM_MOST,
	};
	node->charge = sizeof(struct reception);
	return true;
}

bool datagrams_open(struct datagrams *datagrams, struct node *node, struct faults *faults)
{
	datagrams->node = node;
	datagrams->slot = USUAL_DATAGRAM;
	datagrams->inbox = (struct inbox){
		.loop = node->loop,
		.wake = inbox_woke,
		.owner = datagrams,
	};
	datagrams->reception = calloc(1, sizeof(*datagrams->reception));
	if (!datagrams->reception)
		return node_fault(node, faults, NULL, "out of memory");
	return true;
}

void datagrams_add(struct datagrams *datagrams, int fd)
{
	assert(datagrams->count < DATAGRAM_SOCKETS);
	struct datagram_socket *socket = &datagrams->sockets[datagrams->count++];
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	socket->datagrams = datagrams;
	socket->kernel_dropped = kernel_drops(fd, 0); /* a passed one has a past */
	inbox_watch(&datagrams->inbox, &socket->socket, fd);
	datagrams->in_use++;
	update_counts(datagrams);
}

void datagrams_close(struct datagrams *datagrams)
{
	assert(datagrams->in_use == 0);
	buffer_release(&datagrams->buffer);
	free(datagrams->reception);
	datagrams->reception = NULL;
}

bool datagrams_rest(struct datagrams *datagrams)
{
	buffer_release(&datagrams->buffer);
	return true;
}
