/* Slicing, publishing and dropping. */

#include "pipeline/flow/view.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static struct pool *pool;
static struct buffer *buffer;

static void open_pool(void)
{
	pool = pool_create(2, 64);
	buffer = pool_take(pool);
}

static void close_pool(void)
{
	buffer_release(&buffer);
	pool_destroy(pool);
}

TestSuite(view, .init = open_pool, .fini = close_pool);

Test(view, published_parts_adjoin)
{
	struct view first = view_publish(buffer, 10), second = view_publish(buffer, 54);
	cr_assert_eq(first.data, buffer->data);
	cr_assert_eq(second.data, buffer->data + 10);
	cr_assert_eq(second.size, 54);
	cr_assert_eq(buffer_room(buffer), 0);
	cr_assert_eq(buffer->holders, 3);
	cr_assert(view_adjoins(&first, &second));
	cr_assert_not(view_adjoins(&second, &first));
	view_drop(&first);
	view_drop(&second);
	cr_assert_eq(buffer->holders, 1);
}

Test(view, of_a_buffer_is_checked_against_what_is_published)
{
	struct view view = view_publish(buffer, 10), part = { 0 };
	cr_assert_not(view_of_buffer(buffer, 0, 11, &part));
	cr_assert_not(view_of_buffer(buffer, 11, 0, &part));
	cr_assert_not(view_of_buffer(buffer, 5, UINT32_MAX, &part));
	cr_assert_null(part.buffer);
	cr_assert(view_of_buffer(buffer, 4, 6, &part));
	cr_assert_eq(part.data, buffer->data + 4);
	cr_assert_eq(part.tag, 0);
	view_drop(&part);
	view_drop(&view);
}

Test(view, slices_hold_the_buffer_and_have_no_tag)
{
	struct view view = view_publish(buffer, 10), slice;
	view.tag = 3;
	cr_assert(view_slice(&view, 2, 5, &slice));
	cr_assert_eq(slice.data, view.data + 2);
	cr_assert_eq(slice.size, 5);
	cr_assert_eq(slice.tag, 0);
	cr_assert_eq(slice.buffer, buffer);
	view_drop(&view);
	cr_assert_eq(buffer->holders, 2);
	view_drop(&slice);
}

Test(view, keeps_its_buffer_out_of_the_pool)
{
	struct view view = view_publish(buffer, 4);
	buffer_release(&buffer);
	cr_assert_eq(pool_free(pool), 1);
	view_drop(&view);
	cr_assert_eq(pool_free(pool), 2);
	view_drop(&view);
	cr_assert_eq(pool_free(pool), 2);
}

Test(view, chop_shortens_from_the_front)
{
	struct view view = view_publish(buffer, 10);
	view_chop(&view, 4);
	cr_assert_eq(view.data, buffer->data + 4);
	cr_assert_eq(view.size, 6);
	view_chop(&view, 6);
	cr_assert_eq(view.size, 0);
	view_drop(&view);
}

Test(view, static_bytes_have_no_buffer)
{
	struct view view = view_of_static(", ", 2), slice;
	cr_assert(view_slice(&view, 1, 1, &slice));
	cr_assert_eq(slice.data, view.data + 1);
	cr_assert_null(slice.buffer);
	cr_assert_not(view_adjoins(&view, &slice));
	view_drop(&slice);
	view_drop(&view);
	cr_assert_null(view.data);
}

Test(view, tags_are_told_apart)
{
	struct view view = { .tag = 7 | VIEW_BARE };
	cr_assert_eq(view_records(&view), 7);
	view.tag = 9 | VIEW_END | VIEW_BROKEN;
	cr_assert_eq(view_stream(&view), 9);
}

Test(view, more_than_there_is_room_for_is_not_published, .signal = SIGABRT)
{
	view_publish(buffer, 65);
}
