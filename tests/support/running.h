/* Running: a configuration on a real loop, in a folder of its own, step by step.
 *
 * Each test runs in its own process, so the folder is made the working directory. What is waited for is always an event,
 * with a limit that only a failing test meets.
 */
#pragma once

#include "pipeline/engine.h"
#include "pipeline/io/loop.h"

struct running {
	enum loop_wish backend;
	struct document document;
	struct faults faults;
	struct plan *plan;
	struct loop *loop;
	struct engine *engine;
	bool company;           /* there is another pipeline in the engine */
	struct running *beside; /* its plan */
	char log[16384];        /* "level text\n", one line an event */
	size_t log_size;
};

/* Runs `body` once on each backend, each time in an empty folder. Where there is no io_uring that half is left out,
 * aloud. */
void running_on_both(void (*body)(struct running *running));

/* The same, and once more on each with another pipeline in the engine, which soon ends: nobody is alone there, and files
 * are written by other threads. */
void running_everywhere(void (*body)(struct running *running));

/* Opens a configuration: `pipelines` is the text of "pipelines"; single quotes stand for double ones. False with faults. */
__attribute__((format(printf, 3, 4))) bool running_open(
	struct running *running, const char *service, const char *pipelines, ...);

/* Turns until `met` says so; fails the test when that takes too long. */
void running_until(struct running *running, bool (*met)(void *context), void *context);

/* Turns until the file holds exactly this. */
void running_until_file(struct running *running, const char *path, const char *content);

/* Turns until the log has a line with the text in it. */
void running_until_log(struct running *running, const char *text);

/* Turns until every node has finished. */
void running_to_end(struct running *running);

/* Turns some twenty times, each time waiting for a moment only: what moves by itself has moved, as a rule. For what must
 * have happened wait for that. */
void running_settle(struct running *running);

/* A node of the first pipeline by its full name. */
struct node *running_node(const struct running *running, const char *name);

/* Closes; every buffer must have come back. */
void running_close(struct running *running);

/* Files of the working directory. */
__attribute__((format(printf, 2, 3))) void file_put(const char *path, const char *format, ...);
__attribute__((format(printf, 2, 3))) void file_add(const char *path, const char *format, ...);
void file_put_bytes(const char *path, const char *data, size_t size);

/* The content, with a NUL behind it, to be freed; "" if there is no such file. */
char *file_get(const char *path, size_t *size);
