/* Typed access to the bytes of views, for binary protocols: what Python's memoryview offers as cast(), struct and
 * tobytes(), and a buffer over a memory-mapped file.
 *
 * Every access is checked against the view's bounds and answers false instead of reading outside. A dropped view reads
 * nothing. Alignment does not matter.
 */
#pragma once

#include "pipeline/flow/copy.h"
#include "pipeline/flow/view.h"

enum byte_order { BIG_ENDIAN_ORDER, LITTLE_ENDIAN_ORDER };

/* An unsigned integer of `width` bytes (1 to 8) at `offset`. */
bool view_read_unsigned(const struct view *view, uint32_t offset, uint32_t width,
	enum byte_order order, uint64_t *value);

/* The same in two's complement. */
bool view_read_signed(const struct view *view, uint32_t offset, uint32_t width,
	enum byte_order order, int64_t *value);

/* An IEEE 754 number of 4 or 8 bytes. */
bool view_read_real(const struct view *view, uint32_t offset, uint32_t width, enum byte_order order,
	double *value);

/* An unsigned LEB128 integer (protobuf's varint, at most ten bytes) at `offset`; `length` gets its bytes. */
bool view_read_varint(const struct view *view, uint32_t offset, uint64_t *value, uint32_t *length);

/* The view's bytes as an array of items. */
enum item_type {
	ITEM_U8,
	ITEM_U16,
	ITEM_U32,
	ITEM_U64,
	ITEM_I8,
	ITEM_I16,
	ITEM_I32,
	ITEM_I64,
	ITEM_F32,
	ITEM_F64
};

struct array {
	struct view view; /* holds the buffer; array_drop() lets go */
	enum item_type type;
	enum byte_order order;
	uint32_t count; /* items */
};

/* False if the view's size is not a multiple of the item's, as for memoryview.cast(). */
bool view_cast(
	const struct view *view, enum item_type type, enum byte_order order, struct array *array);
bool array_unsigned(const struct array *array, uint32_t index, uint64_t *value);
bool array_signed(const struct array *array, uint32_t index, int64_t *value);
bool array_real(const struct array *array, uint32_t index, double *value);
void array_drop(struct array *array);

/* A producer's writable part of a buffer that is not published yet. It holds the buffer. */
struct span {
	struct buffer *buffer;
	uint32_t offset, size;
};

/* False if it is out of the buffer's bounds or below what is published. */
bool buffer_span(struct buffer *buffer, uint32_t offset, uint32_t size, struct span *span);

/* All writes answer false, and write nothing, where they would leave the span or touch what is published by now, or
 * where the value does not fit the width. */
bool span_write(struct span *span, uint32_t offset, const void *bytes, uint32_t size);
bool span_write_unsigned(
	struct span *span, uint32_t offset, uint32_t width, enum byte_order order, uint64_t value);
bool span_write_real(
	struct span *span, uint32_t offset, uint32_t width, enum byte_order order, double value);
bool span_write_varint(struct span *span, uint32_t offset, uint64_t value, uint32_t *length);

/* Freezes the buffer up to the span's end, gives a view of the span's bytes and drops the span. */
bool span_publish(struct span *span, struct view *view);
void span_drop(struct span *span);

/* Copies the view's bytes out (counted as `export`). False if they are more than `room`. */
bool view_export(const struct view *view, char *to, size_t room, struct copies *copies);

/* A buffer of its own memory, not from a pool. NULL if there is none. Freed with its last holder. */
struct buffer *buffer_create(uint32_t size);

/* A published buffer over the first `size` bytes of a file, mapped read-only. NULL, with errno, if that fails or the file
 * is shorter. */
struct buffer *buffer_map(int fd, uint32_t size);

/* Unmaps. False, and nothing happens, while a view or another holder lives. The caller's pointer is set to NULL. */
bool buffer_unmap(struct buffer **buffer);
