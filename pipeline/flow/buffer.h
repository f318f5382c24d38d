/* Buffers: the memory that payload lives in, and the pools that they come from.
 *
 * A buffer is filled from its start by one producer at a time and is shared by any number of readers:
 *
 *       data                 published                      size
 *        |  frozen, read-only   |  writable by the producer   |
 *        +----------------------+-----------------------------+
 *
 * `published` only grows, until the last holder has let go and the buffer is back in its pool. Bytes below it never
 * change, so views of them are shared without a lock and without a copy. Whoever holds a buffer counts as a holder:
 * each view, each span, and a producer that took it.
 *
 * A pool is one page-aligned slab, made at start. What is freed last is taken first, so that a working set stays in
 * the cache. Pools, buffers and views belong to one thread. Freed buffers are poisoned under AddressSanitizer.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct buffer {
	char *data;
	uint32_t size;      /* bytes */
	uint32_t published; /* bytes from the start that are frozen */
	uint32_t holders;
	uint32_t remainders; /* pieces of unfinished records that lie in it */
	bool packed; /* views of other buffers were copied here: copying them again gains nothing */
	struct pool *pool;   /* NULL: the buffer stands alone (a mapping, an own allocation) */
	struct buffer *next; /* in the pool's list of free buffers */
	void (*destroy)(
		struct buffer *buffer); /* without a pool: frees it, when its last holder lets go */
};

/* A pool of `count` buffers of `size` bytes. NULL if there is no memory for it. */
struct pool *pool_create(uint32_t count, uint32_t size);

/* Gives the pool's memory back. All its buffers must be free. NULL is allowed. */
void pool_destroy(struct pool *pool);

/* The memory that one buffer of `size` bytes costs a pool. */
size_t pool_buffer_cost(uint32_t size);

/* Buffers that pool_take() leaves for pool_take_spare(): the engine's and the splitters' means to let go of pins. */
void pool_keep_spare(struct pool *pool, uint32_t count);

/* Takes an empty buffer, held once by the caller; NULL if only the spare ones are free. */
struct buffer *pool_take(struct pool *pool);

/* Takes an empty buffer, a spare one if need be; NULL if none is free. */
struct buffer *pool_take_spare(struct pool *pool);

uint32_t pool_count(const struct pool *pool);
uint32_t pool_buffer_size(const struct pool *pool);
uint32_t pool_free(const struct pool *pool);

/* How many buffers pool_take() would give. */
uint32_t pool_available(const struct pool *pool);

/* The most buffers that were in use at once. */
uint32_t pool_most_used(const struct pool *pool);

/* One more holder. */
static inline void buffer_hold(struct buffer *buffer)
{
	assert(buffer->holders > 0);
	buffer->holders++;
}

/* A buffer without holders goes back to where it came from: buffer_release() does it. */
void buffer_give_back(struct buffer *buffer);

/* One holder less; at none the buffer goes back to where it came from. The caller's pointer is set to NULL; a NULL
 * buffer is allowed. */
static inline void buffer_release(struct buffer **held)
{
	struct buffer *buffer = *held;
	*held = NULL;
	if (!buffer)
		return;
	assert(buffer->holders > 0);
	if (--buffer->holders == 0)
		buffer_give_back(buffer);
}

/* Bytes that a producer can still fill. */
static inline uint32_t buffer_room(const struct buffer *buffer)
{
	return buffer->size - buffer->published;
}

/* Where a producer writes next. */
static inline char *buffer_end(struct buffer *buffer)
{
	return buffer->data + buffer->published;
}
