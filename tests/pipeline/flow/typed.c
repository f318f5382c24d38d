/* The memoryview promise (DESIGN, "Seed"): each promise is a test here. */

#include "pipeline/flow/typed.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct buffer *buffer_of(const char *bytes, uint32_t size)
{
	struct buffer *buffer = buffer_create(size);
	cr_assert_not_null(buffer);
	struct span span;
	bool fine = buffer_span(buffer, 0, size, &span) && span_write(&span, 0, bytes, size);
	cr_assert(fine);
	struct view view;
	fine = span_publish(&span, &view);
	cr_assert(fine);
	view_drop(&view);
	return buffer;
}

static struct view view_of_bytes(const char *bytes, uint32_t size)
{
	struct buffer *buffer = buffer_of(bytes, size);
	struct view view;
	bool made = view_of_buffer(buffer, 0, size, &view);
	cr_assert(made);
	buffer_release(&buffer);
	return view;
}

Test(typed, slices_are_the_same_bytes)
{
	struct view view = view_of_bytes("memoryview", 10), slice, again;
	cr_assert(view_slice(&view, 6, 4, &slice));
	cr_assert_eq(slice.data, view.data + 6);
	cr_assert(view_slice(&slice, 1, 2, &again));
	cr_assert_eq(again.data, view.data + 7);
	cr_assert_eq(view.buffer->holders, 3);
	view_drop(&view);
	view_drop(&slice);
	cr_assert(memcmp(again.data, "ie", 2) == 0);
	view_drop(&again);
}

Test(typed, slices_are_checked_against_bounds)
{
	struct view view = view_of_bytes("abc", 3), slice = { 0 };
	cr_assert(view_slice(&view, 3, 0, &slice));
	view_drop(&slice);
	cr_assert_not(view_slice(&view, 4, 0, &slice));
	cr_assert_not(view_slice(&view, 0, 4, &slice));
	cr_assert_not(view_slice(&view, 2, UINT32_MAX, &slice));
	cr_assert_not(view_slice(&view, UINT32_MAX, 2, &slice));
	cr_assert_null(slice.buffer);
	cr_assert_eq(view.buffer->holders, 1);
	view_drop(&view);
}

static size_t heap(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static long resident_pages(void)
{
	long total, resident;
	FILE *file = fopen("/proc/self/statm", "r");
	int read = fscanf(file, "%ld %ld", &total, &resident);
	cr_assert_eq(read, 2);
	fclose(file);
	return resident;
}

Test(typed, a_thousand_slices_of_10_MB_copy_nothing_and_take_no_memory)
{
	enum { SIZE = 10 * 1000 * 1000, COUNT = 1000 };
	struct buffer *buffer = buffer_create(SIZE);
	struct view whole, *slices = calloc(COUNT, sizeof(*slices));
	memset(buffer->data, 'x', SIZE);
	whole = view_publish(buffer, SIZE);
	resident_pages();
	size_t heap_before = heap();
	long pages_before = resident_pages();
	for (uint32_t i = 0; i < COUNT; i++) {
		bool made = view_slice(&whole, i, SIZE - i, &slices[i]);
		cr_assert(made);
		cr_assert_eq(slices[i].data, whole.data + i);
	}
	cr_assert_eq(heap(), heap_before);
	cr_assert_lt(resident_pages() - pages_before, 64);
	for (uint32_t i = 0; i < COUNT; i++)
		view_drop(&slices[i]);
	view_drop(&whole);
	cr_assert_eq(buffer->holders, 1);
	buffer_release(&buffer);
	free(slices);
}

Test(typed, a_write_through_a_span_changes_the_original)
{
	struct buffer *buffer = buffer_create(8);
	memset(buffer->data, '.', 8);
	struct span span;
	cr_assert(buffer_span(buffer, 2, 4, &span));
	cr_assert_eq(buffer->holders, 2);
	cr_assert(span_write(&span, 1, "ab", 2));
	cr_assert(memcmp(buffer->data, "...ab...", 8) == 0);
	span_drop(&span);
	cr_assert_eq(buffer->holders, 1);
	buffer_release(&buffer);
}

Test(typed, spans_are_checked_against_bounds)
{
	struct buffer *buffer = buffer_create(8);
	memset(buffer->data, '.', 8);
	struct span span;
	uint32_t length;
	cr_assert_not(buffer_span(buffer, 0, 9, &span));
	cr_assert_not(buffer_span(buffer, 9, 0, &span));
	cr_assert_not(buffer_span(buffer, 4, UINT32_MAX, &span));
	cr_assert(buffer_span(buffer, 2, 4, &span));
	cr_assert_not(span_write(&span, 0, "12345", 5));
	cr_assert_not(span_write(&span, 4, "1", 1));
	cr_assert_not(span_write(&span, UINT32_MAX, "12", 2));
	cr_assert_not(span_write_unsigned(&span, 1, 4, BIG_ENDIAN_ORDER, 1));
	cr_assert_not(span_write_unsigned(&span, 0, 0, BIG_ENDIAN_ORDER, 0));
	cr_assert_not(span_write_unsigned(&span, 0, 9, BIG_ENDIAN_ORDER, 0));
	cr_assert_not(span_write_unsigned(&span, 0, 2, BIG_ENDIAN_ORDER, 65536));
	cr_assert_not(span_write_real(&span, 0, 8, BIG_ENDIAN_ORDER, 1));
	cr_assert_not(span_write_real(&span, 0, 3, BIG_ENDIAN_ORDER, 1));
	cr_assert_not(span_write_varint(&span, 3, 128, &length));
	cr_assert(memcmp(buffer->data, "........", 8) == 0);
	span_drop(&span);
	cr_assert_not(span_write(&span, 0, "", 0));
	buffer_release(&buffer);
}

Test(typed, published_bytes_are_frozen)
{
	struct buffer *buffer = buffer_create(8);
	struct span early, late, third;
	struct view view, other;
	cr_assert(buffer_span(buffer, 0, 4, &early));
	cr_assert(buffer_span(buffer, 2, 4, &late));
	cr_assert(span_write(&early, 0, "abcd", 4));
	cr_assert(span_publish(&early, &view));
	cr_assert_null(early.buffer);
	cr_assert_not(span_write(&early, 0, "x", 1));
	cr_assert_not(span_publish(&early, &other));
	cr_assert_not(span_write(&late, 1, "xy", 2));
	cr_assert_not(span_write_unsigned(&late, 0, 1, BIG_ENDIAN_ORDER, 1));
	cr_assert(span_write(&late, 2, "ef", 2));
	cr_assert_not(buffer_span(buffer, 3, 2, &third));
	cr_assert(buffer_span(buffer, 4, 2, &third));
	cr_assert(memcmp(view.data, "abcd", 4) == 0);
	cr_assert(span_publish(&late, &other));
	cr_assert(memcmp(other.data, "cdef", 4) == 0);
	cr_assert_not(span_write(&third, 0, "x", 1));
	span_drop(&third);
	view_drop(&view);
	view_drop(&other);
	buffer_release(&buffer);
}

static struct view view_of_written(struct buffer *buffer, struct span *span)
{
	struct view view;
	bool published = span_publish(span, &view);
	cr_assert(published);
	buffer_release(&buffer);
	return view;
}

Test(typed, integers_are_written_and_read_in_either_order)
{
	struct buffer *buffer = buffer_create(12);
	struct span span;
	uint64_t value;
	int64_t number;
	cr_assert(buffer_span(buffer, 0, 12, &span));
	cr_assert(span_write_unsigned(&span, 0, 4, BIG_ENDIAN_ORDER, 0x01020304));
	cr_assert(span_write_unsigned(&span, 4, 8, LITTLE_ENDIAN_ORDER, 0xfedcba9876543210));
	struct view view = view_of_written(buffer, &span);
	cr_assert(memcmp(view.data, "\1\2\3\4\x10\x32\x54\x76\x98\xba\xdc\xfe", 12) == 0);
	cr_assert(view_read_unsigned(&view, 0, 4, BIG_ENDIAN_ORDER, &value));
	cr_assert_eq(value, 0x01020304);
	cr_assert(view_read_unsigned(&view, 1, 3, LITTLE_ENDIAN_ORDER, &value));
	cr_assert_eq(value, 0x040302);
	cr_assert(view_read_unsigned(&view, 4, 8, LITTLE_ENDIAN_ORDER, &value));
	cr_assert_eq(value, 0xfedcba9876543210);
	cr_assert(view_read_signed(&view, 4, 8, LITTLE_ENDIAN_ORDER, &number));
	cr_assert_eq(number, (int64_t)0xfedcba9876543210);
	cr_assert(view_read_signed(&view, 11, 1, BIG_ENDIAN_ORDER, &number));
	cr_assert_eq(number, -2);
	cr_assert(view_read_signed(&view, 0, 3, BIG_ENDIAN_ORDER, &number));
	cr_assert_eq(number, 0x010203);
	view_drop(&view);
}

Test(typed, every_width_comes_back)
{
	for (uint32_t width = 1; width <= 8; width++)
		for (enum byte_order order = BIG_ENDIAN_ORDER; order <= LITTLE_ENDIAN_ORDER;
			order++) {
			uint64_t most = UINT64_MAX >> (64 - 8 * width), value;
			int64_t number;
			struct buffer *buffer = buffer_create(9);
			struct span span;
			cr_assert(buffer_span(buffer, 1, 8, &span));
			cr_assert(span_write_unsigned(&span, 0, width, order, most - 1));
			struct view view = view_of_written(buffer, &span);
			cr_assert(view_read_unsigned(&view, 0, width, order, &value));
			cr_assert_eq(value, most - 1);
			cr_assert(view_read_signed(&view, 0, width, order, &number));
			cr_assert_eq(number, -2);
			view_drop(&view);
		}
}

Test(typed, reads_are_checked_against_bounds)
{
	struct view view = view_of_bytes("12345678", 8), dropped = { 0 };
	uint64_t value = 7;
	int64_t number = 7;
	double real = 7;
	cr_assert_not(view_read_unsigned(&view, 5, 4, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_unsigned(&view, 8, 1, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_unsigned(&view, UINT32_MAX, 2, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_unsigned(&view, 0, 0, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_unsigned(&view, 0, 9, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_unsigned(&dropped, 0, 1, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_read_signed(&view, 7, 2, BIG_ENDIAN_ORDER, &number));
	cr_assert_not(view_read_real(&view, 1, 8, BIG_ENDIAN_ORDER, &real));
	cr_assert_not(view_read_real(&view, 0, 2, BIG_ENDIAN_ORDER, &real));
	cr_assert_eq(value, 7);
	cr_assert_eq(number, 7);
	cr_assert_eq(real, 7);
	view_drop(&view);
}

Test(typed, reals)
{
	struct buffer *buffer = buffer_create(12);
	struct span span;
	double value;
	cr_assert(buffer_span(buffer, 0, 12, &span));
	cr_assert(span_write_real(&span, 0, 4, BIG_ENDIAN_ORDER, -1.5));
	cr_assert(span_write_real(&span, 4, 8, LITTLE_ENDIAN_ORDER, 0.1));
	struct view view = view_of_written(buffer, &span);
	cr_assert(memcmp(view.data, "\xbf\xc0\0\0\x9a\x99\x99\x99\x99\x99\xb9\x3f", 12) == 0);
	cr_assert(view_read_real(&view, 0, 4, BIG_ENDIAN_ORDER, &value));
	cr_assert_eq(value, -1.5);
	cr_assert(view_read_real(&view, 4, 8, LITTLE_ENDIAN_ORDER, &value));
	cr_assert_eq(value, 0.1);
	view_drop(&view);
}

static void check_varint(uint64_t written, const char *bytes, uint32_t size)
{
	struct buffer *buffer = buffer_create(size);
	struct span span;
	uint64_t value;
	uint32_t length;
	cr_assert(buffer_span(buffer, 0, size, &span));
	cr_assert(span_write_varint(&span, 0, written, &length));
	cr_assert_eq(length, size);
	struct view view = view_of_written(buffer, &span);
	cr_assert(memcmp(view.data, bytes, size) == 0);
	cr_assert(view_read_varint(&view, 0, &value, &length));
	cr_assert_eq(value, written);
	cr_assert_eq(length, size);
	view_drop(&view);
}

Test(typed, varints)
{
	check_varint(0, "\0", 1);
	check_varint(127, "\x7f", 1);
	check_varint(128, "\x80\1", 2);
	check_varint(300, "\xac\2", 2);
	check_varint(UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10);
}

static bool reads_varint(const char *bytes, uint32_t size, uint32_t offset)
{
	uint64_t value;
	uint32_t length;
	struct view view = view_of_static(bytes, size);
	return view_read_varint(&view, offset, &value, &length);
}

Test(typed, varints_that_are_cut_or_too_large)
{
	cr_assert(reads_varint("\x80\x80\1", 3, 1));
	cr_assert_not(reads_varint("\x80\x80", 2, 0));
	cr_assert_not(reads_varint("\1", 1, 1));
	cr_assert_not(reads_varint("\1", 1, 2));
	cr_assert_not(reads_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10, 0));
	cr_assert_not(reads_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 11, 0));
	cr_assert_not(reads_varint(NULL, 0, 0));
}

Test(typed, cast_to_arrays)
{
	struct view view = view_of_bytes("\0\1\xff\xfe\x80\0\0\0", 8);
	struct array array;
	uint64_t value;
	int64_t number;
	cr_assert(view_cast(&view, ITEM_U16, BIG_ENDIAN_ORDER, &array));
	cr_assert_eq(array.view.data, view.data);
	cr_assert_eq(array.count, 4);
	cr_assert(array_unsigned(&array, 1, &value));
	cr_assert_eq(value, 0xfffe);
	cr_assert_not(array_unsigned(&array, 4, &value));
	cr_assert_not(array_signed(&array, 0, &number));
	array_drop(&array);
	cr_assert_eq(view.buffer->holders, 1);
	cr_assert_not(array_unsigned(&array, 0, &value));

	cr_assert(view_cast(&view, ITEM_I16, BIG_ENDIAN_ORDER, &array));
	view_drop(&view);
	cr_assert(array_signed(&array, 1, &number));
	cr_assert_eq(number, -2);
	cr_assert(array_signed(&array, 2, &number));
	cr_assert_eq(number, INT16_MIN);
	array_drop(&array);
}

Test(typed, cast_needs_whole_items)
{
	struct view view = view_of_bytes("1234567", 7), dropped = { 0 }, part;
	struct array array;
	cr_assert_not(view_cast(&view, ITEM_U16, BIG_ENDIAN_ORDER, &array));
	cr_assert_not(view_cast(&view, ITEM_F64, BIG_ENDIAN_ORDER, &array));
	cr_assert_not(view_cast(&dropped, ITEM_U8, BIG_ENDIAN_ORDER, &array));
	cr_assert(view_slice(&view, 3, 4, &part));
	cr_assert(view_cast(&part, ITEM_U32, LITTLE_ENDIAN_ORDER, &array));
	array_drop(&array);
	view_drop(&part);
	view_drop(&view);
}

Test(typed, arrays_of_reals)
{
	struct view view = view_of_bytes("\0\0\0\x3f\0\0\x20\xc0", 8);
	struct array array;
	double value;
	cr_assert(view_cast(&view, ITEM_F32, LITTLE_ENDIAN_ORDER, &array));
	cr_assert(array_real(&array, 0, &value));
	cr_assert_eq(value, 0.5);
	cr_assert(array_real(&array, 1, &value));
	cr_assert_eq(value, -2.5);
	cr_assert_not(array_real(&array, 2, &value));
	array_drop(&array);
	view_drop(&view);
}

Test(typed, export_is_a_counted_copy)
{
	struct view view = view_of_bytes("abcdef", 6), dropped = { 0 };
	struct copies copies = { 0 };
	char bytes[6] = "......";
	cr_assert_not(view_export(&view, bytes, 5, &copies));
	cr_assert_not(view_export(&dropped, bytes, 6, &copies));
	cr_assert_eq(copies_sum(&copies), 0);
	cr_assert_eq(bytes[0], '.');
	cr_assert(view_export(&view, bytes, 6, &copies));
	view_drop(&view);
	cr_assert(memcmp(bytes, "abcdef", 6) == 0);
	cr_assert_eq(copies.bytes[COPY_EXPORT], 6);
	cr_assert_eq(copies_sum(&copies), 6);
}

static int temporary_file(const char *text)
{
	char path[] = "/tmp/viewduct-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	unlink(path);
	ssize_t written = write(fd, text, strlen(text));
	cr_assert_eq(written, (ssize_t)strlen(text));
	return fd;
}

Test(typed, a_mapping_is_not_undone_while_a_view_lives)
{
	int fd = temporary_file("mapped bytes");
	struct buffer *buffer = buffer_map(fd, 12);
	close(fd);
	cr_assert_not_null(buffer);
	struct view view, slice;
	struct span span;
	cr_assert_not(buffer_span(buffer, 0, 12, &span));
	cr_assert(view_of_buffer(buffer, 0, 12, &view));
	cr_assert(view_slice(&view, 7, 5, &slice));
	cr_assert_not(buffer_unmap(&buffer));
	cr_assert_not_null(buffer);
	view_drop(&view);
	cr_assert_not(buffer_unmap(&buffer));
	cr_assert(memcmp(slice.data, "bytes", 5) == 0);
	view_drop(&slice);
	cr_assert(buffer_unmap(&buffer));
	cr_assert_null(buffer);
}

Test(typed, a_mapping_lives_as_long_as_its_last_view)
{
	int fd = temporary_file("mapped bytes");
	struct buffer *buffer = buffer_map(fd, 6);
	struct view view;
	cr_assert(view_of_buffer(buffer, 0, 6, &view));
	buffer_release(&buffer);
	cr_assert(memcmp(view.data, "mapped", 6) == 0);
	view_drop(&view);
	close(fd);
}

Test(typed, mapping_fails_with_errno)
{
	int fd = temporary_file("short");
	errno = 0;
	cr_assert_null(buffer_map(fd, 6));
	cr_assert_eq(errno, EINVAL);
	errno = 0;
	cr_assert_null(buffer_map(fd, 0));
	cr_assert_eq(errno, EINVAL);
	close(fd);
	errno = 0;
	cr_assert_null(buffer_map(-1, 5));
	cr_assert_eq(errno, EBADF);
}

/* Explicit release: a dropped view is empty, reads nothing, and may be dropped again. */
Test(typed, release_is_explicit_and_checked)
{
	struct view view = view_of_bytes("ab", 2), slice;
	struct buffer *buffer = view.buffer;
	struct array array;
	uint64_t value;
	buffer_hold(buffer);
	view_drop(&view);
	cr_assert_eq(buffer->holders, 1);
	cr_assert_null(view.data);
	cr_assert_not(view_slice(&view, 0, 0, &slice));
	cr_assert_not(view_read_unsigned(&view, 0, 1, BIG_ENDIAN_ORDER, &value));
	cr_assert_not(view_cast(&view, ITEM_U8, BIG_ENDIAN_ORDER, &array));
	view_drop(&view);
	cr_assert_eq(buffer->holders, 1);
	buffer_release(&buffer);
	cr_assert_null(buffer);
	buffer_release(&buffer);
}
