/* Watches: what changes among the names of a directory, through libuv's file watching (inotify). */
#pragma once

#include <stdbool.h>

struct loop;
struct directory_watch;

/* Something happened to `name` in the directory, or to the directory itself (then `name` is the last part of the
 * directory's own path). `renamed`: the name came or went; otherwise what it names has changed. Called from the loop. */
typedef void directory_watch_changed(void *owner, const char *name, bool renamed);

/* Begins to watch a directory. NULL with `errno` if that can't be had. */
struct directory_watch *directory_watch_create(
	struct loop *loop, const char *directory, directory_watch_changed *changed, void *owner);

/* Ends it: `changed` is not called again. The loop frees the memory in one of its next turns, or when it is destroyed.
 * NULL is allowed. */
void directory_watch_destroy(struct directory_watch *watch);
