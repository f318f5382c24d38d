/* Views of what a producer publishes. */

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
