/* A directory's watch: one of libuv's handles, in memory that lives until the loop has let go of it. */

#include "pipeline/io/directory_watch.h"

#include "pipeline/io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct directory_watch {
	uv_fs_event_t handle; /* first: libuv gives it back */
	directory_watch_changed *changed;
	void *owner;
};

static void handle_closed(uv_handle_t *handle)
{
	free(handle);
}

static void happened(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct directory_watch *watch = (struct directory_watch *)handle;

	if (watch->changed && status == 0 && name)
		watch->changed(watch->owner, name, events & UV_RENAME);
}

struct directory_watch *directory_watch_create(
	struct loop *loop, const char *directory, directory_watch_changed *changed, void *owner)
{
	struct directory_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	uv_fs_event_init(loop_uv(loop), &watch->handle);
	int error = uv_fs_event_start(&watch->handle, happened, directory, 0);
	if (error) {
		directory_watch_destroy(watch);
		errno = -error;
		return NULL;
	}
	watch->changed = changed;
	watch->owner = owner;
	return watch;
}

void directory_watch_destroy(struct directory_watch *watch)
{
	if (!watch)
		return;
	watch->changed = NULL;
	uv_close((uv_handle_t *)&watch->handle, handle_closed);
}
