/* One read in flight: its buffers, its result, its views. */

#include "pipeline/sources/file_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { READ_SIZE = 256 * 1024, MOST_PIECES = 256, WORTH_KEEPING = 8 /* an eighth of a buffer */ };

static void read_done(struct io_operation *operation, int result)
{
	struct file_reader *reader = (struct file_reader *)operation;

	reader->result = result;
	reader->back = true;
	reader->left = result > 0 ? (uint32_t)result : 0;
	reader->node->account.received += reader->left;
	reader->node->more = --reader->node->busy > 0;
	node_wake(reader->node);
}

bool file_reader_open(struct file_reader *reader, struct node *node, uint32_t readers)
{
	*reader = (struct file_reader){ .operation.done = read_done, .node = node };
	uint32_t most = READ_SIZE / pool_buffer_size(node->pool) + 1;
	reader->most = most < MOST_PIECES ? most : MOST_PIECES;
	reader->readers = readers;
	reader->buffers = calloc(reader->most, sizeof(struct buffer *));
	reader->pieces = calloc(reader->most, sizeof(*reader->pieces));
	return reader->buffers && reader->pieces;
}

static void let_go(struct file_reader *reader)
{
	for (uint32_t i = 0; i < reader->count; i++)
		buffer_release(&reader->buffers[i]);
	reader->count = 0;
}

void file_reader_close(struct file_reader *reader)
{
	assert(!reader->operation.in_flight);
	let_go(reader);
	buffer_release(&reader->rest);
	free(reader->buffers);
	free(reader->pieces);
	*reader = (struct file_reader){ 0 };
}

size_t file_reader_cost(void)
{
	return MOST_PIECES * (sizeof(struct buffer *) + sizeof(struct iovec));
}

static uint32_t add_piece(struct file_reader *reader, struct buffer *buffer, uint64_t most)
{
	uint32_t room = buffer_room(buffer);
	uint32_t size = room < most ? room : (uint32_t)most;

	reader->pieces[reader->count] = (struct iovec){ buffer_end(buffer), size };
	reader->buffers[reader->count++] = buffer;
	return size;
}

static uint32_t at_most(uint32_t most, uint32_t limit)
{
	return most < limit ? most : limit;
}

/* Half of what the pool has, so that one source leaves something for the others; and what this reader may ever have. */
static uint32_t most_buffers(const struct file_reader *reader, uint32_t room)
{
	uint32_t half = pool_available(reader->node->pool) / 2;
	uint32_t share = reader->node->pin_quota / reader->readers;
	uint32_t most = at_most(half > 0 ? half : 1, at_most(room, reader->most));

	if (reader->node->pin_quota > 0)
		most = at_most(most, share > 0 ? share : 1);
	return most;
}

static void take_buffers(struct file_reader *reader, uint32_t room, uint64_t expected)
{
	uint32_t most = most_buffers(reader, room);
	uint64_t left = READ_SIZE, size = 0;

	reader->count = 0;
	if (reader->rest) {
		size += add_piece(reader, reader->rest, left);
		reader->rest = NULL;
	}
	while (reader->count < most && size < expected && size < left) {
		struct buffer *buffer = pool_take(reader->node->pool);
		if (!buffer)
			return;
		size += add_piece(reader, buffer, left - size);
	}
}

bool file_reader_begin(struct file_reader *reader, const struct batch *out, int fd, uint64_t offset,
	uint64_t expected)
{
	assert(file_reader_idle(reader));
	assert(expected > 0);
	uint32_t room = batch_room(out);
	if (room == 0)
		return false;
	take_buffers(reader, room, expected);
	if (reader->count == 0)
		return false;
	reader->at = 0;
	reader->node->busy++;
	reader->node->more = true;
	io_read(reader->node->loop, &reader->operation, fd, reader->pieces, reader->count, offset);
	return true;
}

/* Keeps the last buffer that has bytes in it and room for more; the others go their way. */
static void finish(struct file_reader *reader)
{
	struct buffer *last = reader->buffers[reader->at];

	if (last->published > 0 && buffer_room(last) >= last->size / WORTH_KEEPING &&
		buffer_room(last) > 0) {
		reader->rest = last;
		reader->buffers[reader->at] = NULL;
	}
	let_go(reader);
	reader->back = false;
}

static uint32_t least(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t least = a < b ? a : b;

	return (uint32_t)(least < c ? least : c);
}

bool file_reader_deliver(
	struct file_reader *reader, struct batch *out, uint32_t stream, uint64_t *quota)
{
	assert(reader->back);
	while (reader->left > 0) {
		struct iovec *piece = &reader->pieces[reader->at];
		if (piece->iov_len == 0) {
			reader->at++;
			continue;
		}
		uint32_t size = least(reader->left, piece->iov_len, *quota);
		if (size == 0 || batch_room(out) == 0)
			return false;
		struct view view = view_publish(reader->buffers[reader->at], size);
		view.tag = stream;
		bool put = batch_put(out, &view);
		assert(put);
		piece->iov_len -= size;
		reader->left -= size;
		*quota -= size;
	}
	finish(reader);
	return true;
}

/* Nothing at all: the same as a read that was broken off. */
void file_reader_give_back(struct file_reader *reader)
{
	assert(reader->back);
	if (reader->left > 0) {
		reader->node->account.received -= reader->left;
		reader->result -= (int)reader->left;
		if (reader->result == 0)
			reader->result = -EAGAIN;
	}
	reader->left = 0;
	let_go(reader);
	reader->back = false;
}

void file_reader_rest(struct file_reader *reader)
{
	buffer_release(&reader->rest);
}

bool file_reader_end(struct batch *out, uint32_t stream, uint32_t mark)
{
	struct view view = view_of_static("", 0);

	view.tag = stream | mark;
	return batch_put(out, &view);
}
