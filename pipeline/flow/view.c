/* Slicing, publishing and dropping. */

#include "pipeline/flow/view.h"

#include <assert.h>

bool view_of_buffer(struct buffer *buffer, uint32_t offset, uint32_t size, struct view *view)
{
	if (offset > buffer->published || size > buffer->published - offset)
		return false;
	buffer_hold(buffer);
	*view = (struct view){ .data = buffer->data + offset, .size = size, .buffer = buffer };
	return true;
}

struct view view_publish(struct buffer *buffer, uint32_t size)
{
	assert(size <= buffer_room(buffer));
	struct view view = { .data = buffer_end(buffer), .size = size, .buffer = buffer };
	buffer->published += size;
	buffer_hold(buffer);
	return view;
}

bool view_slice(const struct view *view, uint32_t offset, uint32_t size, struct view *slice)
{
	if (!view->data || offset > view->size || size > view->size - offset)
		return false;
	if (view->buffer)
		buffer_hold(view->buffer);
	*slice = (struct view){ .data = view->data + offset, .size = size, .buffer = view->buffer };
	return true;
}

void view_drop(struct view *view)
{
	buffer_release(&view->buffer);
	*view = (struct view){ 0 };
}
