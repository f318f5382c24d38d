/* Checked reads, casts, spans, export, and buffers over mappings. */

#include "pipeline/flow/typed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { VARINT_MOST = 10 };

static bool lies_in(uint32_t size, uint32_t offset, uint32_t width)
{
	return offset <= size && width <= size - offset;
}

static const unsigned char *bytes_at(const struct view *view, uint32_t offset)
{
	return (const unsigned char *)view->data + offset;
}

/* Which of `width` bytes holds the bits from 8 · `rank` up. */
static uint32_t place(uint32_t rank, uint32_t width, enum byte_order order)
{
	return order == LITTLE_ENDIAN_ORDER ? rank : width - 1 - rank;
}

bool view_read_unsigned(const struct view *view, uint32_t offset, uint32_t width,
	enum byte_order order, uint64_t *value)
{
	if (!view->data || width < 1 || width > 8 || !lies_in(view->size, offset, width))
		return false;
	const unsigned char *bytes = bytes_at(view, offset);
	*value = 0;
	for (uint32_t rank = 0; rank < width; rank++)
		*value |= (uint64_t)bytes[place(rank, width, order)] << (8 * rank);
	return true;
}

bool view_read_signed(const struct view *view, uint32_t offset, uint32_t width,
	enum byte_order order, int64_t *value)
{
	uint64_t raw;
	if (!view_read_unsigned(view, offset, width, order, &raw))
		return false;
	uint64_t sign = (uint64_t)1 << (8 * width - 1);
	*value = (int64_t)((raw ^ sign) - sign);
	return true;
}

union real {
	uint64_t bits;
	double number;
};

union short_real {
	uint32_t bits;
	float number;
};

static double real_of_bits(uint64_t bits, uint32_t width)
{
	union short_real narrow = { .bits = (uint32_t)bits };
	union real wide = { .bits = bits };
	return width == 4 ? (double)narrow.number : wide.number;
}

static uint64_t bits_of_real(double number, uint32_t width)
{
	union short_real narrow = { .number = (float)number };
	union real wide = { .number = number };
	return width == 4 ? narrow.bits : wide.bits;
}

static bool is_real_width(uint32_t width)
{
	return width == 4 || width == 8;
}

bool view_read_real(const struct view *view, uint32_t offset, uint32_t width, enum byte_order order,
	double *value)
{
	uint64_t bits;
	if (!is_real_width(width) || !view_read_unsigned(view, offset, width, order, &bits))
		return false;
	*value = real_of_bits(bits, width);
	return true;
}

/* The tenth byte has room for one bit more. */
bool view_read_varint(const struct view *view, uint32_t offset, uint64_t *value, uint32_t *length)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < VARINT_MOST; i++) {
		if (!view->data || offset > view->size || i >= view->size - offset)
			return false;
		unsigned char byte = bytes_at(view, offset)[i];
		if (i == VARINT_MOST - 1 && byte > 1)
			return false;
		sum |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		*value = sum;
		*length = i + 1;
		return true;
	}
	return false;
}

static uint32_t item_size(enum item_type type)
{
	static const unsigned char sizes[] = { [ITEM_U8] = 1,
		[ITEM_U16] = 2,
		[ITEM_U32] = 4,
		[ITEM_U64] = 8,
		[ITEM_I8] = 1,
		[ITEM_I16] = 2,
		[ITEM_I32] = 4,
		[ITEM_I64] = 8,
		[ITEM_F32] = 4,
		[ITEM_F64] = 8 };
	return sizes[type];
}

bool view_cast(
	const struct view *view, enum item_type type, enum byte_order order, struct array *array)
{
	uint32_t size = item_size(type);
	struct view whole;
	if (view->size % size != 0 || !view_slice(view, 0, view->size, &whole))
		return false;
	*array = (struct array){
		.view = whole, .type = type, .order = order, .count = view->size / size
	};
	return true;
}

bool array_unsigned(const struct array *array, uint32_t index, uint64_t *value)
{
	uint32_t size = item_size(array->type);
	return array->type <= ITEM_U64 && index < array->count &&
	       view_read_unsigned(&array->view, index * size, size, array->order, value);
}

bool array_signed(const struct array *array, uint32_t index, int64_t *value)
{
	uint32_t size = item_size(array->type);
	return array->type >= ITEM_I8 && array->type <= ITEM_I64 && index < array->count &&
	       view_read_signed(&array->view, index * size, size, array->order, value);
}

bool array_real(const struct array *array, uint32_t index, double *value)
{
	uint32_t size = item_size(array->type);
	return array->type >= ITEM_F32 && index < array->count &&
	       view_read_real(&array->view, index * size, size, array->order, value);
}

void array_drop(struct array *array)
{
	view_drop(&array->view);
	*array = (struct array){ 0 };
}

bool buffer_span(struct buffer *buffer, uint32_t offset, uint32_t size, struct span *span)
{
	if (offset < buffer->published || !lies_in(buffer->size, offset, size))
		return false;
	buffer_hold(buffer);
	*span = (struct span){ .buffer = buffer, .offset = offset, .size = size };
	return true;
}

/* Where the span's bytes from `offset` lie; NULL if `size` bytes there are not writable (any more). */
static char *writable(const struct span *span, uint32_t offset, uint32_t size)
{
	if (!span->buffer || !lies_in(span->size, offset, size))
		return NULL;
	uint32_t at = span->offset + offset;
	return at >= span->buffer->published ? span->buffer->data + at : NULL;
}

bool span_write(struct span *span, uint32_t offset, const void *bytes, uint32_t size)
{
	char *to = writable(span, offset, size);
	if (!to)
		return false;
	bytes_store(to, bytes, size);
	return true;
}

static bool fits(uint64_t value, uint32_t width)
{
	return width == 8 || value >> (8 * width) == 0;
}

bool span_write_unsigned(
	struct span *span, uint32_t offset, uint32_t width, enum byte_order order, uint64_t value)
{
	if (width < 1 || width > 8 || !fits(value, width))
		return false;
	char *to = writable(span, offset, width);
	if (!to)
		return false;
	for (uint32_t rank = 0; rank < width; rank++)
		to[place(rank, width, order)] = (char)(value >> (8 * rank) & 0xff);
	return true;
}

bool span_write_real(
	struct span *span, uint32_t offset, uint32_t width, enum byte_order order, double value)
{
	return is_real_width(width) &&
	       span_write_unsigned(span, offset, width, order, bits_of_real(value, width));
}

static uint32_t varint_length(uint64_t value)
{
	uint32_t length = 1;
	for (; value >= 0x80; value >>= 7)
		length++;
	return length;
}

bool span_write_varint(struct span *span, uint32_t offset, uint64_t value, uint32_t *length)
{
	uint32_t size = varint_length(value);
	char *to = writable(span, offset, size);
	if (!to)
		return false;
	for (uint32_t i = 0; i < size; i++, value >>= 7)
		to[i] = (char)((value & 0x7f) | (i + 1 < size ? 0x80 : 0));
	*length = size;
	return true;
}

bool span_publish(struct span *span, struct view *view)
{
	struct buffer *buffer = span->buffer;
	if (!buffer)
		return false;
	uint32_t end = span->offset + span->size;
	if (end > buffer->published)
		buffer->published = end;
	bool made = view_of_buffer(buffer, span->offset, span->size, view);
	assert(made);
	span_drop(span);
	return true;
}

void span_drop(struct span *span)
{
	buffer_release(&span->buffer);
	*span = (struct span){ 0 };
}

bool view_export(const struct view *view, char *to, size_t room, struct copies *copies)
{
	if (!view->data || view->size > room)
		return false;
	payload_copy(to, view->data, view->size, COPY_EXPORT, copies);
	return true;
}

static void destroy_owned(struct buffer *buffer)
{
	free(buffer->data);
	free(buffer);
}

struct buffer *buffer_create(uint32_t size)
{
	struct buffer *buffer = calloc(1, sizeof(*buffer));
	char *data = malloc(size > 0 ? size : 1);
	if (!buffer || !data) {
		free(buffer);
		free(data);
		return NULL;
	}
	*buffer = (struct buffer){
		.data = data, .size = size, .holders = 1, .destroy = destroy_owned
	};
	return buffer;
}

static void destroy_mapping(struct buffer *buffer)
{
	int result = munmap(buffer->data, buffer->size);
	assert(result == 0);
	free(buffer);
}

/* Bytes behind the file's end could not be read: touching them would end the process. */
static bool file_holds(int fd, uint32_t size)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return false;
	if (status.st_size >= (off_t)size)
		return true;
	errno = EINVAL;
	return false;
}

struct buffer *buffer_map(int fd, uint32_t size)
{
	if (!file_holds(fd, size))
		return NULL;
	struct buffer *buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return NULL;
	char *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		int error = errno;
		free(buffer);
		errno = error;
		return NULL;
	}
	*buffer = (struct buffer){ .data = data,
		.size = size,
		.published = size,
		.holders = 1,
		.destroy = destroy_mapping };
	return buffer;
}

bool buffer_unmap(struct buffer **held)
{
	assert((*held)->destroy == destroy_mapping);
	if ((*held)->holders > 1)
		return false;
	buffer_release(held);
	return true;
}
