/* Pools of buffers in one slab, and the count of their holders. */

#include "pipeline/flow/buffer.h"

#include "pipeline/flow/poison.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

struct pool {
	char *slab;
	size_t slab_size;
	struct buffer *buffers;
	struct buffer *free; /* last in, first out */
	uint32_t count, free_count, spare, most_used;
	uint32_t size;
};

static bool slab_map(struct pool *pool)
{
	pool->slab_size = (size_t)pool->count * pool->size;
	pool->slab = mmap(NULL, pool->slab_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->slab == MAP_FAILED) {
		pool->slab = NULL;
		return false;
	}
	ASAN_POISON_MEMORY_REGION(pool->slab, pool->slab_size);
	return true;
}

static void slab_divide(struct pool *pool)
{
	for (uint32_t i = pool->count; i-- > 0;) {
		struct buffer *buffer = &pool->buffers[i];
		buffer->data = pool->slab + (size_t)i * pool->size;
		buffer->size = pool->size;
		buffer->pool = pool;
		buffer->next = pool->free;
		pool->free = buffer;
	}
	pool->free_count = pool->count;
}

struct pool *pool_create(uint32_t count, uint32_t size)
{
	assert(count > 0 && size > 0);
	struct pool *pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->count = count;
	pool->size = size;
	pool->buffers = calloc(count, sizeof(*pool->buffers));
	if (!pool->buffers || !slab_map(pool)) {
		free(pool->buffers);
		free(pool);
		return NULL;
	}
	slab_divide(pool);
	return pool;
}

void pool_destroy(struct pool *pool)
{
	if (!pool)
		return;
	assert(pool->free_count == pool->count);
	ASAN_UNPOISON_MEMORY_REGION(pool->slab, pool->slab_size);
	munmap(pool->slab, pool->slab_size);
	free(pool->buffers);
	free(pool);
}

size_t pool_buffer_cost(uint32_t size)
{
	return size + sizeof(struct buffer);
}

void pool_keep_spare(struct pool *pool, uint32_t count)
{
	assert(count < pool->count);
	pool->spare = count;
}

struct buffer *pool_take(struct pool *pool)
{
	return pool->free_count > pool->spare ? pool_take_spare(pool) : NULL;
}

struct buffer *pool_take_spare(struct pool *pool)
{
	struct buffer *buffer = pool->free;
	if (!buffer)
		return NULL;
	pool->free = buffer->next;
	pool->free_count--;
	uint32_t used = pool->count - pool->free_count;
	if (used > pool->most_used)
		pool->most_used = used;
	buffer->next = NULL;
	buffer->published = 0;
	buffer->packed = false;
	buffer->holders = 1;
	ASAN_UNPOISON_MEMORY_REGION(buffer->data, buffer->size);
	return buffer;
}

uint32_t pool_count(const struct pool *pool)
{
	return pool->count;
}

uint32_t pool_buffer_size(const struct pool *pool)
{
	return pool->size;
}

uint32_t pool_free(const struct pool *pool)
{
	return pool->free_count;
}

uint32_t pool_available(const struct pool *pool)
{
	return pool->free_count > pool->spare ? pool->free_count - pool->spare : 0;
}

uint32_t pool_most_used(const struct pool *pool)
{
	return pool->most_used;
}

void buffer_give_back(struct buffer *buffer)
{
	struct pool *pool = buffer->pool;
	assert(buffer->holders == 0);
	if (!pool) {
		buffer->destroy(buffer);
		return;
	}
	ASAN_POISON_MEMORY_REGION(buffer->data, buffer->size);
	buffer->next = pool->free;
	pool->free = buffer;
	pool->free_count++;
}
