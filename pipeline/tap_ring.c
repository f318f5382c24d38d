/* The two ends of the ring. */
#include "pipeline/tap_ring.h"

/* In place of a size: nothing more up to the ring's end. */
#define SKIP UINT32_MAX

static size_t aligned(size_t size)
{
	return (size + TAP_ALIGNED - 1) & ~(size_t)(TAP_ALIGNED - 1);
}

void tap_ring_begin(struct tap_ring *ring, size_t size)
{
	const size_t need = aligned(sizeof(struct tap_head) + (size < TAP_MOST ? size : TAP_MOST));
	const uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
	const uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
	const size_t at = put % TAP_RING, to_end = TAP_RING - at;
	const size_t skip = to_end < need ? to_end : 0;

	ring->begun = NULL;
	if (put - taken + skip + need > TAP_RING) {
		atomic_fetch_add_explicit(&ring->missed, 1, memory_order_relaxed);
		return;
	}
	if (skip > 0)
		*(uint32_t *)(void *)(ring->bytes + at) = SKIP;
	ring->begun_at = put + skip;
	ring->begun = (void *)(ring->bytes + (put + skip) % TAP_RING);
	*ring->begun = (struct tap_head){ 0 };
}

void tap_ring_add(struct tap_ring *ring, const char *data, size_t size, struct copies *copies)
{
	struct tap_head *head = ring->begun;

	if (!head)
		return;
	const size_t room = TAP_MOST - head->size, part = size < room ? size : room;
	payload_copy((char *)(head + 1) + head->size, data, part, COPY_TAP, copies);
	head->size += (uint32_t)part;
	head->whole += size;
}

const char *tap_ring_data(const struct tap_ring *ring)
{
	return (const char *)(ring->begun + 1);
}

void tap_ring_publish(struct tap_ring *ring, struct content content)
{
	struct tap_head *head = ring->begun;
	const size_t there = head->size > content.offset ? head->size - content.offset : 0;

	head->content = (uint32_t)(there > 0 ? content.offset : head->size);
	head->content_size = (uint32_t)(content.size < there ? content.size : there);
	ring->begun = NULL;
	atomic_store(&ring->put, ring->begun_at + aligned(sizeof(*head) + head->size));
}

bool tap_ring_is_empty(struct tap_ring *ring)
{
	return atomic_load(&ring->put) == atomic_load_explicit(&ring->taken, memory_order_relaxed);
}

void tap_ring_let_go(struct tap_ring *ring)
{
	const uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	atomic_store_explicit(&ring->taken, taken + ring->held, memory_order_release);
	ring->held = 0;
}

/* The oldest sample; there is one. */
static const struct tap_head *next_head(struct tap_ring *ring)
{
	const uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
	const size_t at = taken % TAP_RING;

	if (*(const uint32_t *)(const void *)(ring->bytes + at) != SKIP)
		return (const void *)(ring->bytes + at);
	atomic_store_explicit(&ring->taken, taken + TAP_RING - at, memory_order_release);
	return (const void *)ring->bytes;
}

struct sample tap_ring_take(struct tap_ring *ring)
{
	const struct tap_head *head = next_head(ring);

	ring->held = aligned(sizeof(*head) + head->size);
	return (struct sample){ .data = (const char *)(head + 1),
		.size = head->size,
		.content = head->content,
		.content_size = head->content_size,
		.whole = head->whole };
}
