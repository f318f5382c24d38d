/* A directory's watch: one of libuv's handles, in memory that lives until the loop has let go of it. */

#include "pipeline/io/watch.h"

#include "pipeline/io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct watch {
	uv_fs_event_t handle; /* first: libuv gives it back */
	watch_changed *changed;
	void *owner;
};

static void handle_closed(uv_handle_t *handle)
{
	free(handle);
}

static void happened(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct watch *watch = (struct watch *)handle;

	if (watch->changed && status == 0 && name)
		watch->changed(watch->owner, name, events & UV_RENAME);
}

struct watch *watch_create(
	struct loop *loop, const char *directory, watch_changed *changed, void *owner)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	uv_fs_event_init(loop_uv(loop), &watch->handle);
	int error = uv_fs_event_start(&watch->handle, happened, directory, 0);
	if (error) {
		watch_destroy(watch);
		errno = -error;
		return NULL;
	}
	watch->changed = changed;
	watch->owner = owner;
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	watch->changed = NULL;
	uv_close((uv_handle_t *)&watch->handle, handle_closed);
}
