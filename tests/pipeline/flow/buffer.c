/* Pools and the count of holders. */

#include "pipeline/flow/buffer.h"

#include "pipeline/flow/poison.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(buffer, last_freed_is_taken_first)
{
	struct pool *pool = pool_create(3, 4096);
	struct buffer *first = pool_take(pool), *second = pool_take(pool), *third = pool_take(pool);
	struct buffer *expected = second;
	cr_assert_null(pool_take(pool));
	cr_assert(first != second && second != third && first != third);
	buffer_release(&first);
	buffer_release(&second);
	cr_assert_null(second);
	second = pool_take(pool);
	cr_assert_eq(second, expected);
	buffer_release(&second);
	buffer_release(&third);
	pool_destroy(pool);
}

Test(buffer, slab_is_aligned_and_divided)
{
	enum { COUNT = 5, SIZE = 4096 };
	struct pool *pool = pool_create(COUNT, SIZE);
	struct buffer *buffers[COUNT];
	for (int i = 0; i < COUNT; i++) {
		buffers[i] = pool_take(pool);
		cr_assert_eq(buffers[i]->size, SIZE);
		cr_assert_eq((uintptr_t)buffers[i]->data % SIZE, 0);
		memset(buffers[i]->data, 'a' + i, SIZE);
	}
	for (int i = 0; i < COUNT; i++) {
		cr_assert_eq(buffers[i]->data[0], 'a' + i);
		cr_assert_eq(buffers[i]->data[SIZE - 1], 'a' + i);
		buffer_release(&buffers[i]);
	}
	pool_destroy(pool);
}

Test(buffer, spare_ones_are_kept)
{
	struct pool *pool = pool_create(3, 64);
	pool_keep_spare(pool, 2);
	cr_assert_eq(pool_available(pool), 1);
	struct buffer *usual = pool_take(pool), *refused = pool_take(pool);
	cr_assert_not_null(usual);
	cr_assert_null(refused);
	cr_assert_eq(pool_available(pool), 0);
	cr_assert_eq(pool_free(pool), 2);
	struct buffer *spare = pool_take_spare(pool), *last = pool_take_spare(pool);
	cr_assert_not_null(spare);
	cr_assert_not_null(last);
	cr_assert_null(pool_take_spare(pool));
	buffer_release(&usual);
	cr_assert_null(pool_take(pool));
	buffer_release(&spare);
	buffer_release(&last);
	cr_assert_eq(pool_available(pool), 1);
	pool_destroy(pool);
}

Test(buffer, most_used_stays)
{
	struct pool *pool = pool_create(4, 64);
	cr_assert_eq(pool_most_used(pool), 0);
	struct buffer *one = pool_take(pool), *two = pool_take(pool);
	buffer_release(&one);
	buffer_release(&two);
	one = pool_take(pool);
	cr_assert_eq(pool_most_used(pool), 2);
	cr_assert_eq(pool_free(pool), 3);
	cr_assert_eq(pool_count(pool), 4);
	cr_assert_eq(pool_buffer_size(pool), 64);
	buffer_release(&one);
	pool_destroy(pool);
}

Test(buffer, comes_back_with_its_last_holder)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool), *same = buffer;
	buffer_hold(buffer);
	buffer_release(&buffer);
	cr_assert_null(buffer);
	cr_assert_eq(pool_free(pool), 0);
	buffer_release(&same);
	cr_assert_eq(pool_free(pool), 1);
	pool_destroy(pool);
	pool_destroy(NULL);
}

Test(buffer, is_empty_when_it_is_taken_again)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool);
	buffer->published = 10;
	cr_assert_eq(buffer_room(buffer), 54);
	cr_assert_eq(buffer_end(buffer), buffer->data + 10);
	buffer_release(&buffer);
	buffer = pool_take(pool);
	cr_assert_eq(buffer_room(buffer), 64);
	cr_assert_eq(buffer->holders, 1);
	buffer_release(&buffer);
	pool_destroy(pool);
}

Test(buffer, costs_its_bytes_and_its_header)
{
	cr_assert_geq(pool_buffer_cost(4096), 4096 + sizeof(struct buffer));
	cr_assert_lt(pool_buffer_cost(4096), 4096 + 256);
}

#ifdef __SANITIZE_ADDRESS__
static bool poisoned(const char *byte)
{
	return __asan_address_is_poisoned(byte);
}

Test(buffer, freed_bytes_are_poisoned)
{
	struct pool *pool = pool_create(2, 4096);
	struct buffer *buffer = pool_take(pool);
	const char *data = buffer->data;
	cr_assert_not(poisoned(data));
	cr_assert_not(poisoned(data + 4095));
	cr_assert(poisoned(data + 4096));
	buffer_release(&buffer);
	cr_assert(poisoned(data));
	cr_assert(poisoned(data + 4095));
	buffer = pool_take(pool);
	cr_assert_not(poisoned(buffer->data));
	buffer_release(&buffer);
	pool_destroy(pool);
}
#endif

Test(buffer, a_pool_in_use_is_not_destroyed, .signal = SIGABRT)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool);
	cr_assert_not_null(buffer);
	pool_destroy(pool);
}

Test(buffer, a_free_one_is_not_released, .signal = SIGABRT)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool), *again = buffer;
	buffer_release(&buffer);
	buffer_release(&again);
}
