/* Lists of pieces in one table, pins counted a buffer, and packing. */

#include "pipeline/flow/remainder.h"

#include <assert.h>
#include <stdlib.h>

/* Pieces are linked by number + 1, so that zeroed lists are empty. */
struct piece {
	struct view view;
	uint32_t next;
	bool packed; /* it is a copy already */
};

struct remainder {
	uint64_t size;
	uint32_t first, last; /* pieces; 0: none */
	uint32_t count;
};

enum {
	PIECES_PER_STREAM =
		8, /* on the average; the longest lists are packed where the table is used up */
	FREE_PIECES = 3 /* that packing needs */
};

/* Packed lists always fit: at most two pieces a pinned buffer are solid, and the rest of a list packs into few. */
static uint32_t piece_total(uint32_t streams, uint32_t most_pieces, uint32_t pin_quota)
{
	return streams * PIECES_PER_STREAM + 2 * most_pieces + 2 * pin_quota;
}

size_t remainders_cost(
	uint32_t streams, uint32_t aside_blocks, uint32_t most_pieces, uint32_t pin_quota)
{
	return streams * sizeof(struct remainder) +
	       piece_total(streams, most_pieces, pin_quota) * sizeof(struct piece) +
	       aside_blocks * pool_buffer_cost(ASIDE_BLOCK);
}

static struct piece *piece_at(const struct remainders *remainders, uint32_t number)
{
	assert(number > 0);
	return &remainders->pieces[number - 1];
}

bool remainders_open(struct remainders *remainders, uint32_t streams, uint32_t aside_blocks,
	uint32_t most_pieces, uint32_t pin_quota, struct pool *pool, struct copies *copies)
{
	assert(most_pieces >= 4);
	uint32_t total = piece_total(streams, most_pieces, pin_quota);
	*remainders = (struct remainders){ .stream_count = streams,
		.most_pieces = most_pieces,
		.aside_own = aside_blocks,
		.pin_quota = pin_quota,
		.pool = pool,
		.copies = copies };
	remainders->streams = calloc(streams, sizeof(*remainders->streams));
	remainders->pieces = calloc(total, sizeof(*remainders->pieces));
	remainders->aside = pool_create(aside_blocks, ASIDE_BLOCK);
	if (!remainders->streams || !remainders->pieces || !remainders->aside)
		return false;
	for (uint32_t number = total; number > 0; number--) {
		piece_at(remainders, number)->next = remainders->free_piece;
		remainders->free_piece = number;
	}
	remainders->free_pieces = total;
	return true;
}

/* Where the buffer's pins are counted: those of the pool, or the aside blocks. */
static uint32_t *pins_of(struct remainders *remainders, const struct buffer *buffer)
{
	return buffer->pool == remainders->aside ? &remainders->aside_used : &remainders->pinned;
}

static void unpin(struct remainders *remainders, struct buffer *buffer)
{
	if (buffer && --buffer->remainders == 0)
		(*pins_of(remainders, buffer))--;
}

static void pin(struct remainders *remainders, struct buffer *buffer)
{
	if (buffer && buffer->remainders++ == 0)
		(*pins_of(remainders, buffer))++;
}

/* Takes the first piece off the list; its view is the caller's. */
static struct view pop(struct remainders *remainders, struct remainder *remainder)
{
	uint32_t number = remainder->first;
	struct piece *piece = piece_at(remainders, number);
	struct view view = piece->view;
	remainder->first = piece->next;
	if (!remainder->first)
		remainder->last = 0;
	remainder->count--;
	remainder->size -= view.size;
	unpin(remainders, view.buffer);
	*piece = (struct piece){ .next = remainders->free_piece };
	remainders->free_piece = number;
	remainders->free_pieces++;
	return view;
}

void remainders_close(struct remainders *remainders)
{
	for (uint32_t i = 0;
		remainders->streams && remainders->pieces && i < remainders->stream_count; i++)
		remainder_cut(remainders, i, 0);
	buffer_release(&remainders->pack);
	free(remainders->streams);
	free(remainders->pieces);
	pool_destroy(remainders->aside);
	*remainders = (struct remainders){ 0 };
}

uint64_t remainder_size(const struct remainders *remainders, uint32_t stream)
{
	return remainders->streams[stream].size;
}

uint32_t remainder_pieces(const struct remainders *remainders, uint32_t stream)
{
	return remainders->streams[stream].count;
}

/* Puts a view at the list's end, joined with the last piece where it adjoins. There must be a free piece. */
static void push(
	struct remainders *remainders, struct remainder *remainder, struct view *view, bool packed)
{
	remainder->size += view->size;
	struct piece *last = remainder->last ? piece_at(remainders, remainder->last) : NULL;
	if (last && last->packed == packed && view_adjoins(&last->view, view)) {
		last->view.size += view->size;
		view_drop(view);
		return;
	}
	uint32_t number = remainders->free_piece;
	struct piece *piece = piece_at(remainders, number);
	remainders->free_piece = piece->next;
	remainders->free_pieces--;
	pin(remainders, view->buffer);
	*piece = (struct piece){ .view = *view, .packed = packed };
	piece->view.tag = 0;
	*view = (struct view){ 0 };
	if (last)
		last->next = number;
	else
		remainder->first = number;
	remainder->last = number;
	remainder->count++;
}

/* A buffer with room for `size` bytes: an aside block for a remainder that fits into one, else the shared one, which is
 * replaced when it is too full. NULL if none is free. */
static struct buffer *pack_room(struct remainders *remainders, struct buffer **aside, uint64_t size)
{
	if (*aside && buffer_room(*aside) >= size)
		return *aside;
	if (remainders->pack && buffer_room(remainders->pack) > 0)
		return remainders->pack;
	buffer_release(&remainders->pack);
	remainders->pack = pool_take_spare(remainders->pool);
	return remainders->pack;
}

/* How many buffers packing `size` bytes may need beyond the shared one. */
static bool pack_possible(const struct remainders *remainders, uint64_t size)
{
	uint64_t room = remainders->pack ? buffer_room(remainders->pack) : 0;
	uint32_t buffer = pool_buffer_size(remainders->pool);
	uint64_t need = size > room ? (size - room + buffer - 1) / buffer : 0;
	return pool_free(remainders->pool) >= need;
}

static void copy_piece(struct remainders *remainders, struct remainder *remainder,
	struct buffer **aside, struct view *view)
{
	while (view->size > 0) {
		struct buffer *room = pack_room(remainders, aside, view->size);
		assert(room);
		uint32_t size = view->size < buffer_room(room) ? view->size : buffer_room(room);
		payload_copy(buffer_end(room), view->data, size, COPY_ASIDE, remainders->copies);
		struct view packed = view_publish(room, size);
		push(remainders, remainder, &packed, true);
		view_chop(view, size);
	}
	view_drop(view);
}

/* Where the packed pieces at the list's end lie in an aside block, that block: small additions go there too. */
static struct buffer *aside_of(
	const struct remainders *remainders, const struct remainder *remainder)
{
	for (uint32_t number = remainder->first; number;
		number = piece_at(remainders, number)->next) {
		struct buffer *buffer = piece_at(remainders, number)->view.buffer;
		if (buffer && buffer->pool == remainders->aside)
			return buffer;
	}
	return NULL;
}

typedef bool keeps(const struct remainders *remainders, const struct piece *piece);

static bool is_packed(const struct remainders *remainders, const struct piece *piece)
{
	(void)remainders;
	return piece->packed;
}

/* Half a buffer is worth a piece of its own. */
static bool is_solid(const struct remainders *remainders, const struct piece *piece)
{
	return piece->view.size >= pool_buffer_size(remainders->pool) / 2;
}

static bool is_nothing(const struct remainders *remainders, const struct piece *piece)
{
	(void)remainders;
	(void)piece;
	return false;
}

static uint64_t bytes_to_pack(
	const struct remainders *remainders, const struct remainder *remainder, keeps *stays)
{
	uint64_t bytes = 0;
	for (uint32_t number = remainder->first; number;
		number = piece_at(remainders, number)->next)
		if (!stays(remainders, piece_at(remainders, number)))
			bytes += piece_at(remainders, number)->view.size;
	return bytes;
}

/* Finds where `bytes` bytes of a remainder that is `total` bytes long can be copied to: an aside block (held, in `aside`)
 * if it all fits into one, else the shared buffers. False if there is no room now: aside blocks that are on their way out
 * with finished records are worth waiting for. */
static bool room_begin(struct remainders *remainders, const struct remainder *remainder,
	uint64_t bytes, uint64_t total, struct buffer **aside)
{
	*aside = aside_of(remainders, remainder);
	if (*aside)
		buffer_hold(*aside);
	else if (total <= ASIDE_BLOCK)
		*aside = pool_take(remainders->aside);
	if (*aside && buffer_room(*aside) >= bytes)
		return true;
	bool comes_back =
		!*aside && total <= ASIDE_BLOCK && remainders->aside_used < remainders->aside_own;
	buffer_release(aside);
	return !comes_back && pack_possible(remainders, bytes);
}

/* Makes the list anew: pieces that stay are put as they are, the others as copies. What is still in the old list is no
 * neighbour, though a copy may lie right behind its last piece. Lets go of `aside`. */
static void rotate(struct remainders *remainders, struct remainder *remainder, keeps *stays,
	struct buffer **aside)
{
	struct remainder old = *remainder;
	*remainder = (struct remainder){ 0 };
	while (old.count > 0) {
		const struct piece *first = piece_at(remainders, old.first);
		bool same = stays(remainders, first), packed = first->packed;
		struct view view = pop(remainders, &old);
		if (same)
			push(remainders, remainder, &view, packed);
		else
			copy_piece(remainders, remainder, aside, &view);
	}
	buffer_release(aside);
}

static bool repack(struct remainders *remainders, struct remainder *remainder, keeps *stays)
{
	struct buffer *aside;
	uint64_t bytes = bytes_to_pack(remainders, remainder, stays);
	if (!room_begin(remainders, remainder, bytes, remainder->size, &aside))
		return false;
	rotate(remainders, remainder, stays, &aside);
	return true;
}

static bool is_long(const struct remainders *remainders, const struct remainder *remainder)
{
	return remainder->count + 2 >= remainders->most_pieces;
}

static struct remainder *longest(const struct remainders *remainders)
{
	struct remainder *longest = &remainders->streams[0];
	for (uint32_t i = 1; i < remainders->stream_count; i++)
		if (remainders->streams[i].count > longest->count)
			longest = &remainders->streams[i];
	return longest;
}

/* Shortens this list where it is too long, or the longest of all where the table is used up. False: no buffer is free
 * to copy to. */
static bool make_room(struct remainders *remainders, struct remainder *remainder)
{
	if (is_long(remainders, remainder) && !repack(remainders, remainder, is_solid))
		return false;
	if (is_long(remainders, remainder) && !repack(remainders, remainder, is_nothing))
		return false;
	while (remainders->free_pieces < FREE_PIECES) {
		struct remainder *other = longest(remainders);
		uint32_t before = other->count;
		if (!repack(remainders, other, is_solid) || other->count == before)
			return false;
	}
	return true;
}

enum remainder_result remainder_add(
	struct remainders *remainders, uint32_t stream, struct view *view)
{
	struct remainder *remainder = &remainders->streams[stream];
	if (!make_room(remainders, remainder))
		return REMAINDER_WAITS;
	bool pins = view->buffer && view->buffer->remainders == 0;
	bool over = remainders->pinned + pins > remainders->pin_quota;
	struct buffer *aside = NULL;
	uint64_t unpacked = over ? bytes_to_pack(remainders, remainder, is_packed) + view->size : 0;
	if (over &&
		!room_begin(remainders, remainder, unpacked, remainder->size + view->size, &aside))
		return REMAINDER_WAITS;
	push(remainders, remainder, view, false);
	if (over)
		rotate(remainders, remainder, is_packed, &aside);
	return remainders->pinned <= remainders->pin_quota ? REMAINDER_KEPT : REMAINDER_OVER;
}

uint32_t remainder_take(
	struct remainders *remainders, uint32_t stream, uint64_t size, struct view *views)
{
	struct remainder *remainder = &remainders->streams[stream];
	uint32_t count = 0;
	while (size > 0 && remainder->first) {
		struct piece *first = piece_at(remainders, remainder->first);
		if (first->view.size > size) {
			bool sliced = view_slice(&first->view, 0, (uint32_t)size, &views[count++]);
			assert(sliced);
			view_chop(&first->view, (uint32_t)size);
			remainder->size -= size;
			break;
		}
		size -= first->view.size;
		views[count++] = pop(remainders, remainder);
	}
	return count;
}

/* Makes the list anew of what is kept, as packing does. */
void remainder_cut(struct remainders *remainders, uint32_t stream, uint64_t size)
{
	struct remainder *remainder = &remainders->streams[stream], old = *remainder;
	*remainder = (struct remainder){ 0 };
	while (old.count > 0) {
		bool packed = piece_at(remainders, old.first)->packed;
		struct view view = pop(remainders, &old);
		if (view.size > size)
			view.size = (uint32_t)size;
		size -= view.size;
		if (view.size > 0)
			push(remainders, remainder, &view, packed);
		else
			view_drop(&view);
	}
}

void remainder_peek(const struct remainders *remainders, uint32_t stream, uint64_t offset, char *to,
	uint32_t size, uint64_t *peeked)
{
	uint32_t number = remainders->streams[stream].first;
	while (size > 0) {
		const struct piece *piece = piece_at(remainders, number);
		number = piece->next;
		if (offset >= piece->view.size) {
			offset -= piece->view.size;
			continue;
		}
		uint32_t have = piece->view.size - (uint32_t)offset;
		uint32_t part = have < size ? have : size;
		payload_peek(to, piece->view.data + offset, part, peeked);
		to += part;
		size -= part;
		offset = 0;
	}
}

uint32_t remainder_largest(const struct remainders *remainders)
{
	uint32_t largest = 0;
	for (uint32_t i = 1; i < remainders->stream_count; i++)
		if (remainders->streams[i].size > remainders->streams[largest].size)
			largest = i;
	return largest;
}
