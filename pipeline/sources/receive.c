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

enum receive_result receive_once(struct node *node, struct batch *out, struct buffer *current,
	struct inbox_socket *socket, uint32_t stream, uint64_t most, uint32_t *received)
{
	uint32_t room = buffer_room(current);
	uint32_t size = most < room ? (uint32_t)most : room;
	enum receive_result result = inbox_receive(socket, buffer_end(current), size, received);

	if (result != RECEIVED)
		return result;
	struct view view = view_publish(current, *received);
	view.tag = stream;
	node->account.received += *received;
	bool is_put = batch_put(out, &view);
	assert(is_put);
	return result;
}
