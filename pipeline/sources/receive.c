/* Receiving: see the header. */

#include "pipeline/sources/receive.h"

#include <assert.h>

/* Too little room to be worth a system call, or all its bytes are done with. */
static bool is_worn(const struct buffer *buffer)
{
	bool is_alone = buffer->holders == 1 && buffer->published > 0;

	return is_alone || buffer_room(buffer) < buffer->size / 8;
}

/* Where the pool is empty, what little room is left serves. */
bool receive_ready(struct buffer **current, struct pool *pool)
{
	const struct buffer *buffer = *current;

	if (buffer && (buffer_room(buffer) == 0 || (is_worn(buffer) && pool_available(pool) > 0)))
		buffer_release(current);
	if (!*current)
		*current = pool_take(pool);
	return *current != NULL;
}

static void put(struct batch *out, struct buffer *buffer, uint32_t size, uint32_t stream)
{
	struct view view = view_publish(buffer, size);

	view.tag = stream;
	bool is_put = batch_put(out, &view);
	assert(is_put);
}

enum receive_result receive_once(struct node *node, struct batch *out, struct buffer *current,
	struct inbox_socket *socket, uint32_t stream, uint64_t most, uint32_t *received)
{
	uint32_t room = buffer_room(current);
	uint32_t size = most < room ? (uint32_t)most : room;
	enum receive_result result = inbox_receive(socket, buffer_end(current), size, received);

	if (result != RECEIVED)
		return result;
	node->account.received += *received;
	put(out, current, *received, stream);
	return result;
}

enum { MOST_BUFFERS = 16 };

/* The current buffer and fresh ones, as one place to receive to. */
struct places {
	struct buffer *buffers[MOST_BUFFERS];
	struct iovec pieces[MOST_BUFFERS];
	uint32_t count;
};

static uint64_t add_place(struct places *places, struct buffer *buffer, uint64_t most)
{
	uint32_t room = buffer_room(buffer);
	uint64_t size = most < room ? most : room;

	places->buffers[places->count] = buffer;
	places->pieces[places->count++] =
		(struct iovec){ .iov_base = buffer_end(buffer), .iov_len = size };
	return size;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Buffers that there may be fresh ones: half of what the pool has, as far as the batch has room for their views and
 * may pin them, beside the current one. */
static uint32_t most_fresh(const struct node *node, const struct batch *out)
{
	uint32_t room = batch_room(out), half = pool_available(node->pool) / 2;

	if (out->pin_limit)
		room = least(room, out->pin_limit - out->pins);
	return least(least(room - 1, half), MOST_BUFFERS - 1);
}

static void take_places(struct places *places, const struct node *node, const struct batch *out,
	struct buffer *current, uint64_t most)
{
	uint64_t left = most - add_place(places, current, most);

	for (uint32_t fresh = most_fresh(node, out); fresh > 0 && left > 0; fresh--)
		left -= add_place(places, pool_take(node->pool), left);
}

/* Puts what was received. The place that the last of it came to. */
static uint32_t put_places(
	struct places *places, struct batch *out, uint32_t stream, uint32_t received)
{
	for (uint32_t i = 0;; i++) {
		uint32_t size = least(received, (uint32_t)places->pieces[i].iov_len);

		put(out, places->buffers[i], size, stream);
		received -= size;
		if (received == 0)
			return i;
	}
}

/* Those that were taken last go back first: the pool gives them in the same order again. */
static void give_back(struct places *places, uint32_t kept)
{
	while (places->count-- > 0)
		if (places->count != kept)
			buffer_release(&places->buffers[places->count]);
}

static enum receive_result receive_places(struct node *node, struct batch *out,
	struct buffer **current, struct inbox_socket *socket, uint32_t stream, uint64_t most,
	uint32_t *received)
{
	struct places places = { .count = 0 };
	uint32_t last = 0;

	take_places(&places, node, out, *current, most);
	enum receive_result result =
		inbox_receive_pieces(socket, places.pieces, places.count, received);
	if (result == RECEIVED)
		last = put_places(&places, out, stream, *received);
	node->account.received += *received;
	*current = places.buffers[last];
	give_back(&places, last);
	return result;
}

enum receive_result receive_much(struct node *node, struct batch *out, struct buffer **current,
	struct inbox_socket *socket, uint32_t stream, uint64_t most, uint32_t *received)
{
	if (!socket->eager || most <= buffer_room(*current))
		return receive_once(node, out, *current, socket, stream, most, received);
	return receive_places(node, out, current, socket, stream, most, received);
}
