/* The log: one event, one line on standard error.
 *
 *     time=2026-01-31T12:00:00.123Z level=warning pipeline=errors node=errors.to.1 msg="…"
 *     {"time":"2026-01-31T12:00:00.123Z","level":"warning","pipeline":"errors","node":"errors.to.1","msg":"…"}
 *
 * Under the journal there is no time, but a priority ("<4>") in front. Whatever the text contains, the line stays one
 * and parses. Nothing here waits for a reader that does not read, and nothing is allocated: lines that find no room are
 * counted, and the next that does find room is preceded by their number. What says the same within a second is written
 * once, and then how often it came again. On a terminal the log also owns the last line, where progress is shown.
 */
#pragma once

#include "daemon/repeats.h"
#include "pipeline/node.h"

#include <pthread.h>

enum log_format { LOG_TEXT, LOG_JSON };

struct log {
	pthread_mutex_t lock; /* threads write one line at a time */
	int fd;
	enum log_format format;
	enum log_level least; /* events below it are not written */
	bool journal;         /* the descriptor is a stream of the journal */
	uint64_t lost;        /* lines since the last that was written */
	bool progress_shown;
	char progress[200]; /* what stands in the terminal's last line */
	struct repeats repeats;
	void (*wake)(void *context);
	void *wake_context;
};

void log_open(struct log *log, int fd, enum log_format format, enum log_level least);

/* One event. `pipeline` and `node` may be NULL. */
void log_event(struct log *log, enum log_level level, const char *pipeline, const char *node,
	const char *text);

/* The same with a format, for events of the daemon's own. */
__attribute__((format(printf, 3, 4))) void log_say(
	struct log *log, enum log_level level, const char *format, ...);

/* An engine_log: the context is the log. */
void log_engine_event(void *context, enum log_level level, const char *pipeline, const char *node,
	const char *text);

/* `wake` is called (on any thread, the log locked) when something is to be told in a second, so that somebody calls
 * log_tell_repeats() then. NULL: whoever logs next tells it. */
void log_wake_by(struct log *log, void (*wake)(void *context), void *context);

/* Tells what has been repeated, where a second is over. Milliseconds until it is due again; −1: nothing is. */
int log_tell_repeats(struct log *log);

/* The same for all, at once: the run ends. */
void log_settle(struct log *log);

/* Text for people, as it is. Waits for a slow reader, but not longer than a second for each page. */
void log_text(struct log *log, const char *text);

/* Shows a line that the next one, or progress, replaces; NULL removes it. For terminals only. */
void log_progress(struct log *log, const char *line);
